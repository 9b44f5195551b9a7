package dev.gru4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gru4j.backend.ProductPrecision;
import java.util.Map;
import java.util.Properties;
import org.junit.jupiter.api.Test;

class SettingsTest {
    @Test
    void aGivenValueWinsOverTheDefault() {
        Settings settings = new Settings(null);
        assertEquals(7, settings.integer("hidden", 7, 3, 1));
        assertEquals(3, settings.integer("layers", null, 3, 1));
        assertEquals("--hidden 7 --layers 3", settings.arguments());
        assertEquals(Map.of("hidden", "7", "layers", "3"), settings.notes());
    }

    @Test
    void aResumedRunTakesWhatWasRecorded() {
        Settings settings = new Settings(Map.of("hidden", "9", "dropout", "0.25", "text", "a b.txt"));
        assertEquals(9, settings.integer("hidden", null, 3, 1));
        assertEquals(0.25f, settings.number("dropout", 0.25f, 0, true, 1));
        assertEquals("a b.txt", settings.text("text", null));
        assertNull(settings.text("pairs", null));
        assertEquals("--hidden 9 --dropout 0.25 --text 'a b.txt'", settings.arguments());
    }

    @Test
    void aResumedRunRefusesAnotherValue() {
        Settings settings = new Settings(Map.of("seed", "1"));
        String message = String.valueOf(
                assertThrows(UsageException.class, () -> settings.seed(2L, 1)).getMessage());
        assertTrue(message.startsWith("--seed is 2; the run to be resumed has 1"), message);
        assertThrows(UsageException.class, () -> settings.text("text", "other.txt"));
    }

    @Test
    void aPrecisionIsFp32UnlessGivenAndKeptByAResumedRun() {
        Settings settings = new Settings(null);
        assertEquals(ProductPrecision.FP32, settings.precision(null));
        assertEquals("--precision fp32", settings.arguments());
        assertEquals(ProductPrecision.BF16, new Settings(null).precision(ProductPrecision.BF16));
        Settings resumed = new Settings(Map.of("precision", "3xtf32"));
        assertEquals(ProductPrecision.TF32X3, resumed.precision(null));
        assertEquals(
                "--precision is bf16; the run to be resumed has 3xtf32 (leave the option away, or start a new run"
                        + " without --resume)",
                assertThrows(UsageException.class, () -> resumed.precision(ProductPrecision.BF16)).getMessage());
    }

    @Test
    void aCheckpointThatNamesNoPrecisionIsInFp32() {
        Settings resumed = new Settings(Map.of("seed", "1"));
        assertEquals(ProductPrecision.FP32, resumed.precision(null));
        assertEquals("--precision fp32", resumed.arguments());
        assertThrows(UsageException.class, () -> resumed.precision(ProductPrecision.FP16));
    }

    @Test
    void aCheckpointOfAnotherCommandIsRefused() {
        Settings settings = new Settings(Map.of());
        assertThrows(IllegalStateException.class, () -> settings.integer("hidden", null, 3, 1));
    }

    @Test
    void aTextThatIsTheDefaultIsNotRecorded() {
        Settings settings = new Settings(null);
        assertEquals("none", settings.text("loss-scale", null, "none"));
        assertEquals("none", settings.text("loss-scale", "none", "none"));
        assertEquals("", settings.arguments());
        assertEquals("8", settings.text("loss-scale", "8", "none"));
        assertEquals("--loss-scale 8", settings.arguments());
        assertEquals("8", new Settings(settings.notes()).text("loss-scale", null, "none"));
        assertEquals("none", new Settings(Map.of()).text("loss-scale", "none", "none"));
        String message = String.valueOf(assertThrows(
                UsageException.class, () -> new Settings(Map.of()).text("loss-scale", "8", "none"))
                .getMessage());
        assertTrue(message.startsWith("--loss-scale is 8; the run to be resumed has none"), message);
    }

    @Test
    void wordsThatAShellWouldReadAreQuoted() {
        assertEquals("runs/a-1.txt", ShellWord.quote("runs/a-1.txt"));
        assertEquals("'a b'", ShellWord.quote("a b"));
        assertEquals("'it'\\''s'", ShellWord.quote("it's"));
        assertEquals("''", ShellWord.quote(""));
    }

    /** What makes a run on the emulator, or in narrower vectors, another run than the same line without it. */
    @Test
    void theLineThatRepeatsARunCarriesThePropertiesOfTheBackends() {
        Properties properties = new Properties();
        properties.setProperty("gru4j.cuda.emulator", "true");
        properties.setProperty("gru4j.cuda.cublas", "/a b/libcublas.so.12");
        properties.setProperty("gru4j.simd.bits", "256");
        properties.setProperty("gru4j.cuda.targets", "all"); // of the build
        properties.setProperty("gru4j.backend", "cuda");
        properties.setProperty("user.home", "/home");
        assertEquals(
                " '-Dgru4j.cuda.cublas=/a b/libcublas.so.12' -Dgru4j.cuda.emulator=true -Dgru4j.simd.bits=256",
                TrainingRun.properties(properties));
        assertEquals("", TrainingRun.properties(new Properties()));
    }
}
