package dev.gru4j.cli;

import dev.gru4j.backend.TrainingKernels;
import dev.gru4j.training.data.Vocabulary;
import dev.gru4j.training.model.TextSampler;

/** Prints what a language model writes. */
final class LanguageSampling {
    /** Characters of a sample that has no end of its own. */
    private static final int TEXT_LENGTH = 400;

    /** Characters of a sequence at most; the longest Unicode name has 88. */
    private static final int SEQUENCE_LENGTH = 120;

    private LanguageSampling() {}

    /**
     * Prints samples, each from a seed of its own.
     *
     * @param prompt start of a text to go on with; empty: whole sequences from their beginning
     */
    static void print(
            Terminal terminal,
            TextSampler sampler,
            Vocabulary vocabulary,
            String prompt,
            int count,
            float temperature,
            long seed) {
        int[] start = prompt.isEmpty() ? new int[] {Vocabulary.END} : vocabulary.encode(prompt);
        int length = prompt.isEmpty() ? SEQUENCE_LENGTH : TEXT_LENGTH;
        for (int i = 0; i < count; i++) {
            int[] drawn = sampler.sample(
                    start, prompt.isEmpty() ? Vocabulary.END : TrainingKernels.NONE, length, temperature, seed + i);
            String text = prompt + vocabulary.decode(drawn);
            terminal.print("%s", text.indent(2).stripTrailing());
        }
    }
}
