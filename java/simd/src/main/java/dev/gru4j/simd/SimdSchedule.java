package dev.gru4j.simd;

import dev.gru4j.backend.GruCall;

/**
 * Which rows run at which step. Rows are ranked by length, longest first, so that the rows active at a
 * step are the first {@link #active} ranks; the (step, rank) pairs that are active, step by step, are
 * the <em>packed rows</em> 0 … N−1 on which all products run. Padding is neither read nor computed:
 * it costs nothing and nothing in it can leak.
 */
final class SimdSchedule {
    int T;
    int B;

    /** N: number of valid (step, row) pairs. */
    int packedRows;

    /** Rank → batch row. */
    int[] order = new int[0];

    /** Step t → number of active ranks; one more entry, 0, at T. */
    int[] active = new int[0];

    /** Step t → packed row of its rank 0; at T: N. */
    int[] first = new int[0];

    /** Number of chunks of steps, in which forward and backward advance. */
    int chunks;

    /** Chunk → its first step; one more entry, the first step at which no row runs any more. */
    int[] chunkStart = new int[0];

    /** Packed row → t·B + b. */
    int[] source = new int[0];

    /** Packed row → row of the states that holds hPrev, by direction: forward, reverse. */
    final int[][] prev = {new int[0], new int[0]};

    /** i → i. */
    int[] identity = new int[0];

    private int[] startOfLength = new int[0];
    private boolean isTraining;

    /**
     * Prepares for a call. States lie in rows of their own: first h0 of the B ranks; then in training one
     * row per packed row, in inference two blocks of B rows in turns.
     *
     * @param chunkRows most packed rows of a chunk of steps, unless one step has more
     */
    void prepare(GruCall call, boolean training, int chunkRows) {
        T = call.T();
        B = call.B();
        isTraining = training;
        rank(call);
        count(call);
        cut(chunkRows);
        locate();
    }

    /** Row of the states that receives rank 0 of a step. */
    int nextRow(int step, boolean reverse) {
        return isTraining ? B + first[step] : B * (1 + ((reverse ? T - 1 - step : step) & 1));
    }

    /** Whether every row runs all T steps. */
    boolean isFull() {
        return packedRows == T * B;
    }

    /** First rank of worker {@code worker}'s share, shares holding about as many packed rows each. */
    int firstRank(int worker, int workers) {
        long target = (long) packedRows * worker / workers;
        long before = 0;
        int rank = 0;
        // Lengths fall with the rank: the steps in which rank is active are those with active[t] > rank.
        int steps = T;
        while (rank < B) {
            while (steps > 0 && active[steps - 1] <= rank) {
                steps--;
            }
            if (worker < workers && before + steps > target) {
                break;
            }
            before += steps;
            rank++;
        }
        return worker == 0 ? 0 : rank;
    }

    private void rank(GruCall call) {
        order = grown(order, B);
        // Counting sort, longest first, ties in the order of the batch.
        startOfLength = grown(startOfLength, T + 2);
        java.util.Arrays.fill(startOfLength, 0, T + 2, 0);
        for (int b = 0; b < B; b++) {
            startOfLength[T - call.length(b) + 1]++;
        }
        for (int i = 0; i <= T; i++) {
            startOfLength[i + 1] += startOfLength[i];
        }
        for (int b = 0; b < B; b++) {
            order[startOfLength[T - call.length(b)]++] = b;
        }
    }

    private void count(GruCall call) {
        active = grown(active, T + 1);
        first = grown(first, T + 1);
        int ranks = B;
        int rows = 0;
        for (int t = 0; t < T; t++) {
            while (ranks > 0 && call.length(order[ranks - 1]) <= t) {
                ranks--;
            }
            active[t] = ranks;
            first[t] = rows;
            rows += ranks;
        }
        active[T] = 0;
        first[T] = rows;
        packedRows = rows;
    }

    /** Cuts the steps into as few chunks as hold {@code rows} packed rows each, all of about equal size. */
    void cut(int rows) {
        chunkStart = grown(chunkStart, T + 1);
        chunks = 0;
        int most = Math.max(rows, B);
        int planned = Math.ceilDiv(packedRows, most);
        int t = 0;
        while (first[t] < packedRows) {
            chunkStart[chunks] = t;
            int from = first[t];
            int even = Math.ceilDiv(packedRows - from, Math.max(1, planned - chunks));
            chunks++;
            // Half a step too many is as good as half a step too few.
            do {
                t++;
            } while (active[t] > 0
                    && first[t + 1] - from <= most
                    && first[t] - from + active[t] / 2 < even);
        }
        chunkStart[chunks] = t;
    }

    private void locate() {
        source = grown(source, packedRows);
        prev[0] = grown(prev[0], packedRows);
        prev[1] = grown(prev[1], packedRows);
        identity(Math.max(packedRows, B));
        for (int t = 0; t < T; t++) {
            for (int rank = 0; rank < active[t]; rank++) {
                int row = first[t] + rank;
                source[row] = t * B + order[rank];
                prev[0][row] = t == 0 ? rank : nextRow(t - 1, false) + rank;
                // A row that is not active at t + 1 starts here, from h0.
                prev[1][row] = rank >= active[t + 1] ? rank : nextRow(t + 1, true) + rank;
            }
        }
    }

    /** {@link #identity}, at least n long. */
    int[] identity(int n) {
        int known = identity.length;
        identity = grown(identity, n);
        for (int i = known; i < identity.length; i++) {
            identity[i] = i;
        }
        return identity;
    }

    private static int[] grown(int[] array, int length) {
        return array.length >= length ? array : java.util.Arrays.copyOf(array, length);
    }
}
