package dev.gru4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The first Java block of the README is a program; it is taken from there, compiled and run as it stands. */
class ReadmeExampleTest {
    private static final Pattern BLOCK = Pattern.compile("```java\\R(.*?)^```", Pattern.DOTALL | Pattern.MULTILINE);

    /** {@code java/core/target/classes}. */
    private static Path module() throws URISyntaxException {
        return Path.of(Gru.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    }

    private static String example() throws IOException, URISyntaxException {
        Path readme = module().resolve("../../../../README.md").normalize();
        Matcher block = BLOCK.matcher(Files.readString(readme));
        assertTrue(block.find(), readme + " has a block that begins with ```java");
        return block.group(1);
    }

    @Test
    void theExampleOfTheReadmeRunsAsItStands(@TempDir Path folder) throws Exception {
        Path source = Files.writeString(folder.resolve("Example.java"), example());
        Path output = folder.resolve("output");
        // A JVM of its own: what the example prints and saves stays out of this one.
        Process process = new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--class-path",
                module().toString(),
                source.toString())
                .directory(folder.toFile())
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        try {
            assertTrue(process.waitFor(2, TimeUnit.MINUTES), () -> "still running after 2 minutes:\n" + read(output));
            assertEquals(0, process.exitValue(), () -> read(output));
            assertFalse(read(output).isBlank(), "the example prints something");
            GruWeights.load(folder.resolve("gru.safetensors")); // what the example says it saves
        } finally {
            process.destroyForcibly();
        }
    }

    private static String read(Path output) {
        try {
            return Files.readString(output);
        } catch (IOException e) {
            return e.toString();
        }
    }
}
