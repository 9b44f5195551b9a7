package dev.gru4j.training.data;

import dev.gru4j.backend.TrainingKernels;
import java.util.List;
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
    /**
     * Whole sequences, each from a zero state: input (boundary, s₁ … sₙ), targets (s₁ … sₙ, boundary).
     *
     * @param sequences at least one, of any lengths; they become the rows in this order
     */
    public static TokenBatch of(List<int[]> sequences, int boundary) {
        int B = sequences.size();
        int[] lengths = new int[B];
        int T = 0;
        int n = 0;
        for (int b = 0; b < B; b++) {
            lengths[b] = sequences.get(b).length + 1;
            T = Math.max(T, lengths[b]);
            n = Math.addExact(n, lengths[b]);
        }
        int[] ids = new int[Math.multiplyExact(T, B)];
        int[] positions = new int[n];
        int[] targets = new int[n];
        int k = 0;
        for (int t = 0; t < T; t++) {
            for (int b = 0; b < B; b++) {
                int[] sequence = sequences.get(b);
                int position = t * B + b;
                if (t >= lengths[b]) {
                    ids[position] = TrainingKernels.NONE;
                    continue;
                }
                ids[position] = t == 0 ? boundary : sequence[t - 1];
                positions[k] = position;
                targets[k] = t == sequence.length ? boundary : sequence[t];
                k++;
            }
        }
        boolean isFull = n == ids.length;
        return new TokenBatch(T, B, ids, isFull ? null : lengths, isFull ? null : positions, targets, false);
    }

    @Override
    public long targetCount() {
        return targets.length;
    }
}
