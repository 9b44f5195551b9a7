package dev.gru4j.training.data;

import dev.gru4j.backend.TrainingKernels;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Source sequences and, for each, the target sequence to be produced from it.
 *
 * @param source what the encoder reads
 * @param target the decoder's input (boundary token, then the target) and, as its targets, what it shall
 *     say next (the target, then the boundary token). Row b belongs to row b of {@code source}.
 */
public record PairBatch(Side source, TokenBatch target) implements Batch {
    /**
     * The tokens the encoder reads.
     *
     * @param T steps of the longest row
     * @param B rows
     * @param ids (T,B), {@link TrainingKernels#NONE} in padding
     * @param lengths (B) valid steps of each row; absent: all T
     */
    @SuppressWarnings("ArrayRecordComponent") // Equality is not used; arrays are what the backend uploads.
    public record Side(int T, int B, int[] ids, int @Nullable [] lengths) {
        /** Whole sequences as the rows, in this order. */
        public static Side of(List<int[]> sequences) {
            int B = sequences.size();
            int[] lengths = sequences.stream().mapToInt(s -> s.length).toArray();
            int T = Arrays.stream(lengths).max().orElse(0);
            int[] ids = new int[Math.multiplyExact(T, B)];
            Arrays.fill(ids, TrainingKernels.NONE);
            for (int b = 0; b < B; b++) {
                int[] sequence = sequences.get(b);
                for (int t = 0; t < sequence.length; t++) {
                    ids[t * B + b] = sequence[t];
                }
            }
            boolean isFull = Arrays.stream(lengths).allMatch(length -> length == T);
            return new Side(T, B, ids, isFull ? null : lengths);
        }
    }

    /** Steps of the longest row, source or target. */
    @Override
    public int T() {
        return Math.max(source.T(), target.T());
    }

    @Override
    public int B() {
        return target.B();
    }

    @Override
    public long targetCount() {
        return target.targetCount();
    }
}
