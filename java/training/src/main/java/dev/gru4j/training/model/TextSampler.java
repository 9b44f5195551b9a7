package dev.gru4j.training.model;

/**
 * Draws sequences from a {@link LanguageModel}, token by token, the hidden state being carried. A
 * sequence is a pure function of parameters, prompt, temperature and seed.
 */
@SuppressWarnings({"DoNotCallSuggester", "unused"})
public final class TextSampler implements AutoCloseable {
    TextSampler() {}

    /**
     * Reads {@code prompt} from a zero state and draws what follows.
     *
     * @param prompt at least one token: the boundary token, or the start of a text
     * @param end the token that ends a sequence (it is not part of the result), or
     *     {@link dev.gru4j.backend.TrainingKernels#NONE}
     * @param maxLength tokens drawn at most
     * @param temperature above 0; below 1 prefers likely tokens; 0 always takes the likeliest
     * @param seed key of the draws
     */
    public int[] sample(int[] prompt, int end, int maxLength, float temperature, long seed) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void close() {
        throw new UnsupportedOperationException();
    }
}
