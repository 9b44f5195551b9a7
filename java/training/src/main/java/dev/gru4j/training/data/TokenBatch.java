package dev.gru4j.training.data;

import dev.gru4j.backend.TrainingKernels;
import org.jspecify.annotations.Nullable;

/**
 * Token sequences and the token that follows each position. Rows are sorted by length, longest first.
 *
 * @param T steps of the longest row
 * @param B rows
 * @param ids (T,B), {@link TrainingKernels#NONE} in padding
 * @param lengths (B) valid steps of each row; absent: all T
 * @param positions (n) the valid positions {@code t·B + b} in ascending order; absent: all T·B
 * @param targets (n) the token that follows at each of the positions
 * @param carried whether row b goes on where row b of the batch before ended, so that the hidden state is
 *     carried over; otherwise it starts at zero
 */
@SuppressWarnings("ArrayRecordComponent") // Equality is not used; arrays are what the backend uploads.
public record TokenBatch(
        int T,
        int B,
        int[] ids,
        int @Nullable [] lengths,
        int @Nullable [] positions,
        int[] targets,
        boolean carried)
        implements Batch {
    @Override
    public long targetCount() {
        return targets.length;
    }
}
