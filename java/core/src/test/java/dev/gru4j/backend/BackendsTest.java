package dev.gru4j.backend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gru4j.reference.ReferenceBackendProvider;
import java.io.IOException;
import java.net.URI;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.api.parallel.Resources;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Dispatch in this module, where only the reference is there. */
@ResourceLock(Resources.SYSTEM_PROPERTIES) // gru4j.backend
class BackendsTest {
    private static final String NO_CUDA = "gru4j-cuda was not found (put gru4j-cuda on the class or module path)";

    @Test
    void theListAlwaysHasCudaThenSimdThenReference() {
        List<GruBackendProvider> all = Backends.all();
        assertEquals(
                List.of("cuda", "simd", "reference"),
                all.stream().map(GruBackendProvider::name).toList());
        assertFalse(all.get(0).availability().isAvailable());
        assertTrue(all.get(2).availability().isAvailable());
        assertEquals(ReferenceBackendProvider.class, all.get(2).getClass());
    }

    @Test
    void aMissingBackendSaysWhichJarBringsIt() {
        assertEquals(
                NO_CUDA,
                Backends.named("cuda").availability().toString());
    }

    @Test
    void anUnknownNameListsTheKnownOnes() {
        for (Runnable call : List.<Runnable>of(
                () -> Backends.named("cdua"), () -> Backends.open("cdua", BackendOptions.DEFAULT).close())) {
            IllegalArgumentException e = assertThrows(IllegalArgumentException.class, call::run);
            assertEquals("unknown backend 'cdua'; known: cuda, simd, reference", e.getMessage());
        }
    }

    @Test
    void aForcedBackendThatCannotRunFailsWithItsReason() {
        IllegalStateException e = assertThrows(
                IllegalStateException.class, () -> Backends.open("cuda", BackendOptions.DEFAULT).close());
        assertEquals("backend 'cuda' was requested but is unavailable: " + NO_CUDA, e.getMessage());
        IllegalStateException direct = assertThrows(
                IllegalStateException.class, () -> Backends.named("cuda").open(BackendOptions.DEFAULT).close());
        assertEquals("backend 'cuda' is unavailable: " + NO_CUDA, direct.getMessage());
    }

    @Test
    void withoutAChoiceTheBestThatCanRunIsOpened() {
        withProperty(null, () -> {
            try (GruBackend backend = Backends.open()) {
                assertEquals("reference", backend.name());
            }
        });
    }

    @Test
    void thePropertyForcesABackendAndNoOther() {
        withProperty("reference", () -> {
            try (GruBackend backend = Backends.open()) {
                assertEquals("reference", backend.name());
            }
        });
        withProperty("cuda", () -> assertEquals(
                "backend 'cuda' was requested but is unavailable: " + NO_CUDA,
                assertThrows(IllegalStateException.class, Backends::open).getMessage()));
        withProperty("cdua", () -> assertEquals(
                "unknown backend 'cdua'; known: cuda, simd, reference",
                assertThrows(IllegalArgumentException.class, Backends::open).getMessage()));
    }

    @ParameterizedTest
    @EnumSource(ProductPrecision.class)
    void theReferenceHasEveryPrecision(ProductPrecision precision) {
        GruBackendProvider reference = Backends.named("reference");
        assertEquals(Set.of(ProductPrecision.values()), reference.precisions());
        try (GruBackend backend = reference.open(BackendOptions.DEFAULT.withPrecision(precision))) {
            assertEquals(precision, backend.precision());
            assertEquals(
                    "reference: scalar loops in float, products in " + precision + ", one thread",
                    backend.description());
        }
        assertEquals(Set.of(), Backends.named("cuda").precisions(), "of a backend that is not there");
    }

    private static void withProperty(@Nullable String value, Runnable test) {
        String before = System.getProperty(Backends.PROPERTY);
        set(value);
        try {
            test.run();
        } finally {
            set(before);
        }
    }

    private static void set(@Nullable String value) {
        if (value == null) {
            System.clearProperty(Backends.PROPERTY);
        } else {
            System.setProperty(Backends.PROPERTY, value);
        }
    }

    @Test
    void aProviderThatCannotBeLinkedIsReportedAndHidesNoOther(@TempDir Path folder) throws Exception {
        List<String> lines = availabilityWith(folder, UnlinkableProvider.class.getName());
        assertEquals(3, lines.size());
        assertEquals(
                "cuda: gru4j-cuda was not found (java.lang.NoClassDefFoundError: vendor/driver/Api)"
                        + " (put gru4j-cuda on the class or module path)",
                lines.get(0));
        assertEquals("reference: available", lines.get(2));
    }

    @Test
    void aServiceFileThatNamesAnAbsentClassIsReportedAndHidesNoOther(@TempDir Path folder) throws Exception {
        List<String> lines = availabilityWith(folder, "vendor.AbsentProvider");
        assertTrue(lines.get(0).contains("Provider vendor.AbsentProvider not found"), lines::toString);
        assertEquals("reference: available", lines.get(2));
    }

    /** {@code name: availability} of every backend, where a service file names {@code provider} too. */
    private static List<String> availabilityWith(Path folder, String provider) throws Exception {
        Path services = Files.createDirectories(folder.resolve("META-INF/services"));
        Files.writeString(services.resolve(GruBackendProvider.class.getName()), provider + "\n");
        URL[] path = {
            folder.toUri().toURL(), placeOf(Backends.class, "Backends.class"),
            placeOf(BackendsTest.class, "BackendsTest.class")
        };
        List<String> lines = new ArrayList<>();
        // No parent: the platform's class loader would lead to this module's own Backends.
        try (URLClassLoader loader = new URLClassLoader(path, null)) {
            Class<?> api = loader.loadClass(GruBackendProvider.class.getName());
            List<?> all = (List<?>) loader.loadClass(Backends.class.getName()).getMethod("all").invoke(null);
            for (Object one : all) {
                lines.add(api.getMethod("name").invoke(one) + ": " + api.getMethod("availability").invoke(one));
            }
        }
        return lines;
    }

    /** The folder of classes that a class file of this package lies in. */
    private static URL placeOf(Class<?> type, String file) throws IOException {
        URL found = type.getResource(file);
        if (found == null) {
            throw new IOException("no resource " + file);
        }
        String url = found.toString();
        String inside = type.getName().replace('.', '/') + ".class";
        return URI.create(url.substring(0, url.length() - inside.length())).toURL();
    }
}
