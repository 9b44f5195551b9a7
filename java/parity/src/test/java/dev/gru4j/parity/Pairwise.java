package dev.gru4j.parity;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Random;

/**
 * Rows that together show every pair of values of every two factors: enough to find any defect that needs one value
 * or two values to meet, at a small part of the full product's size. Greedy, seeded, the same rows on every run.
 */
final class Pairwise {
    /** Candidates per row; more make slightly fewer rows. */
    private static final int CANDIDATES = 40;

    private final int[] levels;
    private final int[] offset;
    private final int pairsSide;
    private final BitSet open = new BitSet();
    private final Random random;

    private Pairwise(int[] levels, long seed) {
        this.levels = levels.clone();
        this.random = new Random(seed);
        this.offset = new int[levels.length];
        int sum = 0;
        for (int f = 0; f < levels.length; f++) {
            offset[f] = sum;
            sum += levels[f];
        }
        this.pairsSide = sum;
        for (int f = 0; f < levels.length; f++) {
            for (int g = f + 1; g < levels.length; g++) {
                for (int a = 0; a < levels[f]; a++) {
                    for (int b = 0; b < levels[g]; b++) {
                        open.set(pair(f, a, g, b));
                    }
                }
            }
        }
    }

    /**
     * The rows.
     *
     * @param levels number of values of each factor, each at least 1
     * @return one value index per factor and row
     */
    static List<int[]> rows(int[] levels, long seed) {
        Pairwise pairwise = new Pairwise(levels, seed);
        List<int[]> rows = new ArrayList<>();
        while (!pairwise.open.isEmpty()) {
            rows.add(pairwise.next());
        }
        return rows;
    }

    /** The best of some random rows that all contain the first open pair. */
    private int[] next() {
        int seedPair = open.nextSetBit(0);
        int[] best = new int[0];
        int bestGain = 0;
        for (int c = 0; c < CANDIDATES; c++) {
            int[] row = candidate(seedPair / pairsSide, seedPair % pairsSide);
            int gain = gain(row);
            if (gain > bestGain) {
                best = row;
                bestGain = gain;
            }
        }
        for (int f = 0; f < best.length; f++) {
            for (int g = f + 1; g < best.length; g++) {
                open.clear(pair(f, best[f], g, best[g]));
            }
        }
        return best;
    }

    private int[] candidate(int first, int second) {
        int[] row = new int[levels.length];
        boolean[] fixed = new boolean[levels.length];
        for (int value : new int[] {first, second}) {
            int f = factorOf(value);
            row[f] = value - offset[f];
            fixed[f] = true;
        }
        for (int f = 0; f < row.length; f++) {
            if (!fixed[f]) {
                row[f] = random.nextInt(levels[f]);
            }
        }
        return row;
    }

    private int gain(int[] row) {
        int gain = 0;
        for (int f = 0; f < row.length; f++) {
            for (int g = f + 1; g < row.length; g++) {
                gain += open.get(pair(f, row[f], g, row[g])) ? 1 : 0;
            }
        }
        return gain;
    }

    private int factorOf(int value) {
        int f = offset.length - 1;
        while (offset[f] > value) {
            f--;
        }
        return f;
    }

    private int pair(int f, int a, int g, int b) {
        return (offset[f] + a) * pairsSide + offset[g] + b;
    }
}
