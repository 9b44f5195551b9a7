package dev.gru4j.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;

/** Small inputs for tests, the same on every run. */
final class SampleText {
    private static final String[] WORDS = {"reset", "update", "gate", "copies", "état", "state", "the", "and"};

    private SampleText() {}

    /** A text of words in a random order, a few thousand characters long. */
    static Path write(Path folder) throws IOException {
        Random random = new Random(11);
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < 1200; i++) {
            text.append(WORDS[random.nextInt(WORDS.length)]).append(i % 9 == 8 ? "\n" : " ");
        }
        return Files.writeString(folder.resolve("words.txt"), text);
    }
}
