package dev.gru4j.training.data;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Which items make the batch of a step: every epoch all items once, in a new order, and only items of
 * similar length together. The order of an epoch is cut into groups of {@value #GROUP_BATCHES} batches;
 * a group is sorted by length, cut into batches, and these are visited in a drawn order. A pure function of the step.
 */
final class LengthBuckets {
    /**
     * Batches per sorted group: the more, the less padding and the less chance in what meets in a batch.
     * At 32 batches of 128 rows, the Unicode names have about 2 % padding.
     */
    private static final int GROUP_BATCHES = 32;

    /** Tells the order of the batches of a group from the order of the items of an epoch. */
    private static final long BATCH_ORDER = 0x6261746368657321L;

    private final int[] lengths;
    private final int maxB;
    private final long seed;
    private final long batchesPerEpoch;

    /** The group last asked for: consecutive steps mostly share it. Immutable, so any thread may use it. */
    private volatile @Nullable Group latest;

    /** @param sorted items of a group, longest first, as −length·2^32 + item */
    @SuppressWarnings("ArrayRecordComponent") // Never compared.
    private record Group(long epoch, int index, long[] sorted) {}

    /**
     * @param lengths of all items, at least one
     * @param maxB items of a batch
     * @param seed key of the orders
     */
    LengthBuckets(int[] lengths, int maxB, long seed) {
        if (lengths.length == 0) {
            throw new IllegalArgumentException("there is nothing to make batches of; at least one sequence expected");
        }
        if (maxB < 1) {
            throw new IllegalArgumentException("maxB is " + maxB + "; at least 1 expected");
        }
        this.lengths = lengths;
        this.maxB = maxB;
        this.seed = seed;
        this.batchesPerEpoch = ((long) lengths.length + maxB - 1) / maxB;
    }

    long batchesPerEpoch() {
        return batchesPerEpoch;
    }

    int maxB() {
        return Math.min(maxB, lengths.length);
    }

    /** The items of a step's batch, longest first. */
    int[] items(long step) {
        if (step < 0) {
            throw new IllegalArgumentException("step is " + step + "; 0 or more expected");
        }
        long epoch = step / batchesPerEpoch;
        long batch = step % batchesPerEpoch;
        int index = (int) (batch / GROUP_BATCHES);
        Group group = group(epoch, index);
        int count = group.sorted().length;
        int batches = (count + maxB - 1) / maxB;
        int slot = new Permutation(batches, seed ^ BATCH_ORDER, epoch * batchesPerEpoch + index)
                .at((int) (batch % GROUP_BATCHES));
        int from = slot * maxB;
        int[] items = new int[Math.min(maxB, count - from)];
        for (int k = 0; k < items.length; k++) {
            items[k] = (int) group.sorted()[from + k];
        }
        return items;
    }

    private Group group(long epoch, int index) {
        Group known = latest;
        if (known != null && known.epoch() == epoch && known.index() == index) {
            return known;
        }
        long groupItems = (long) GROUP_BATCHES * maxB;
        int from = (int) (index * groupItems);
        int count = (int) Math.min(groupItems, lengths.length - from);
        Permutation order = new Permutation(lengths.length, seed, epoch);
        long[] sorted = new long[count];
        for (int k = 0; k < count; k++) {
            int item = order.at(from + k);
            // Negated for the longest first; equal lengths by item.
            sorted[k] = ((long) -lengths[item] << Integer.SIZE) | item;
        }
        Arrays.sort(sorted);
        Group group = new Group(epoch, index, sorted);
        latest = group;
        return group;
    }
}
