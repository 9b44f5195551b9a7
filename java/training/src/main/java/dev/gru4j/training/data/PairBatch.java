package dev.gru4j.training.data;

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
     * @param ids (T,B), {@link dev.gru4j.backend.TrainingKernels#NONE} in padding
     * @param lengths (B) valid steps of each row; absent: all T
     */
    @SuppressWarnings("ArrayRecordComponent") // Equality is not used; arrays are what the backend uploads.
    public record Side(int T, int B, int[] ids, int @Nullable [] lengths) {}

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
