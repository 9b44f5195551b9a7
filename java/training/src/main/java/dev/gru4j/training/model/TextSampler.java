package dev.gru4j.training.model;

import dev.gru4j.Philox;
import java.util.Arrays;

/**
 * Draws sequences from a {@link LanguageModel}, token by token, the hidden state being carried. A
 * sequence is a pure function of parameters, prompt, temperature and seed. Belongs to one thread.
 */
public final class TextSampler implements AutoCloseable {
    private final StepDecoder decoder;
    private final int vocabulary;
    private final float[] logits;
    private final int[] token = new int[1];
    private final int[] words = new int[4];

    TextSampler(StepDecoder decoder, int vocabulary) {
        this.decoder = decoder;
        this.vocabulary = vocabulary;
        this.logits = new float[vocabulary];
    }

    /**
     * Reads {@code prompt} from a zero state and draws what follows, with the model's present parameters.
     *
     * @param prompt at least one token: the boundary token, or the start of a text
     * @param end the token that ends a sequence (it is not part of the result), or
     *     {@link dev.gru4j.backend.TrainingKernels#NONE}
     * @param maxLength tokens drawn at most
     * @param temperature 1 draws from the model's distribution, less prefers likely tokens, 0 always takes
     *     the likeliest
     * @param seed key of the draws
     * @throws IllegalStateException if the logits are not finite, so that nothing can be drawn
     */
    public int[] sample(int[] prompt, int end, int maxLength, float temperature, long seed) {
        if (prompt.length == 0) {
            throw new IllegalArgumentException("prompt is empty; at least one token expected");
        }
        if (!(temperature >= 0 && temperature < Float.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException("temperature is " + temperature + "; 0 or more expected");
        }
        decoder.loadParameters();
        decoder.reset();
        for (int id : prompt) {
            read(id);
        }
        int[] drawn = new int[Math.min(maxLength, 64)];
        int count = 0;
        while (count < maxLength) {
            int next = temperature == 0 ? likeliest() : draw(temperature, seed, count);
            if (next == end) {
                break;
            }
            if (count == drawn.length) {
                drawn = Arrays.copyOf(drawn, (int) Math.min(maxLength, 2L * count));
            }
            drawn[count++] = next;
            read(next);
        }
        return Arrays.copyOf(drawn, count);
    }

    private void read(int id) {
        token[0] = id;
        decoder.step(token, 1, logits);
    }

    private int likeliest() {
        int best = 0;
        for (int k = 0; k < vocabulary; k++) {
            if (logits[k] > logits[best]) {
                best = k;
            }
        }
        return best;
    }

    /** Inverts the distribution function of softmax(logits / temperature) at a number drawn by counter. */
    private int draw(float temperature, long seed, int index) {
        double largest = logits[likeliest()];
        double sum = 0;
        for (int k = 0; k < vocabulary; k++) {
            sum += weight(k, largest, temperature);
        }
        if (!(sum > 0 && sum < Double.POSITIVE_INFINITY)) {
            throw new IllegalStateException("the logits after " + index + " drawn tokens are not finite; "
                    + "the parameters are damaged or training diverged");
        }
        Philox.block(index, 0, 0, 0, seed, words);
        double left = Philox.toUnitInterval(words[0]) * sum;
        int last = 0;
        for (int k = 0; k < vocabulary; k++) {
            double weight = weight(k, largest, temperature);
            if (weight > 0) {
                last = k; // rounding may leave a rest behind the last token; it is this one's
                left -= weight;
                if (left < 0) {
                    break;
                }
            }
        }
        return last;
    }

    private double weight(int k, double largest, float temperature) {
        return StrictMath.exp((logits[k] - largest) / temperature);
    }

    @Override
    public void close() {
        decoder.close();
    }
}
