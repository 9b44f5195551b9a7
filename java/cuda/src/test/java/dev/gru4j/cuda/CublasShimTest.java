package dev.gru4j.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** JCublas2 12.6 works with a libcublas.so.13 through the shim, with no help of the environment. */
class CublasShimTest {
    private static final String NATIVES = "lib/libJCublas2-12.6.0-linux-x86_64.so";

    @BeforeEach
    void needsTheEmulator() {
        Emulator.assumeBuilt();
    }

    @Test
    void productsGoThroughTheShimToAnotherMajorVersion(@TempDir Path folder) throws Exception {
        Path library = Objects.requireNonNull(CudaEmulator.library()).resolveSibling("cublas13/libcublas.so.13");
        assertEquals(
                List.of(
                        "cuda (emulated, no GPU): products in fp32 on one CPU thread, large products by a"
                                + " stand-in for cuBLAS 13.0.0 (" + library + ", through the shim)",
                        "[4.5, 9.0, 10.5, 9.0]",
                        "status 15"), // NOT_SUPPORTED
                run(folder, library));
    }

    @Test
    void aFolderIsAsGoodAsAFile(@TempDir Path folder) throws Exception {
        Path library = Objects.requireNonNull(CudaEmulator.library()).resolveSibling("cublas13");
        assertTrue(run(folder, library).getFirst().endsWith("/cublas13/libcublas.so.13, through the shim)"));
    }

    private static List<String> run(Path folder, Path library) throws IOException, InterruptedException {
        Path errors = folder.resolve("errors");
        Process process = new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
                "-D" + CudaEmulator.PROPERTY + "=true",
                "-D" + CudaEmulator.LIBRARY_PROPERTY + "=" + CudaEmulator.library(),
                "-D" + CublasLibrary.PROPERTY + "=" + library,
                "-Djava.io.tmpdir=" + folder,
                ShimmedProducts.class.getName())
                .redirectError(errors.toFile())
                .start();
        String output;
        try (InputStream in = process.getInputStream()) {
            output = new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
        assertTrue(process.waitFor(60, TimeUnit.SECONDS), "it ends");
        assertEquals(0, process.exitValue(), () -> output + text(errors));
        try (var left = Files.list(folder)) {
            assertEquals(
                    List.of(),
                    left.filter(path -> path.getFileName().toString().startsWith("gru4j-")).toList(),
                    "files left behind");
        }
        return output.lines().toList();
    }

    /** A missing one would end the JVM at its first call. */
    @Test
    void theShimHasEveryFunctionThatJCublas2LinksTo() throws IOException {
        ClassLoader loader = Objects.requireNonNull(getClass().getClassLoader());
        TreeSet<String> wanted = new TreeSet<>(names(loader.getResourceAsStream(NATIVES)));
        TreeSet<String> found =
                new TreeSet<>(names(CublasShim.class.getResourceAsStream("cublas/libgru4j-cublas-shim.so")));
        assertEquals(494, wanted.size(), "functions of JCublas2");
        wanted.removeAll(found);
        assertEquals(List.of(), List.copyOf(wanted), "functions that the shim lacks");
    }

    /** Names of cuBLAS's functions in a library's string tables. */
    private static List<String> names(@Nullable InputStream library) throws IOException {
        try (InputStream in = Objects.requireNonNull(library, "on the class path")) {
            String text = new String(in.readAllBytes(), StandardCharsets.ISO_8859_1);
            Matcher matcher = Pattern.compile("\0(cublas[A-Z]\\w+)(?=\0)").matcher(text);
            return matcher.results().map(result -> result.group(1)).toList();
        }
    }

    private static String text(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            return e.toString();
        }
    }
}
