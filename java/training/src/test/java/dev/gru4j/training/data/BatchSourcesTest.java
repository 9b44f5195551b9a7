package dev.gru4j.training.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gru4j.backend.TrainingKernels;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

final class BatchSourcesTest {
    private static final int BOUNDARY = 0;

    @Test
    void everyEpochVisitsEverySequenceOnce() {
        List<int[]> sequences = sequences(1003);
        LanguageModelBatches source = new LanguageModelBatches(sequences, BOUNDARY, 16, 5);
        TreeMap<String, Integer> expected = new TreeMap<>();
        sequences.forEach(s -> expected.merge(Arrays.toString(s), 1, Integer::sum));
        assertEquals(63, source.batchesPerEpoch());
        for (long epoch = 0; epoch < 3; epoch++) {
            TreeMap<String, Integer> seen = new TreeMap<>();
            for (long k = 0; k < source.batchesPerEpoch(); k++) {
                TokenBatch batch = source.batch(epoch * source.batchesPerEpoch() + k);
                rowsOf(batch).forEach(row -> seen.merge(Arrays.toString(row), 1, Integer::sum));
            }
            assertEquals(expected, seen, "epoch " + epoch);
        }
    }

    @Test
    void aBatchIsAFunctionOfItsStep() {
        LanguageModelBatches forwards = new LanguageModelBatches(sequences(700), BOUNDARY, 16, 5);
        LanguageModelBatches backwards = new LanguageModelBatches(sequences(700), BOUNDARY, 16, 5);
        List<TokenBatch> expected = new ArrayList<>();
        for (long step = 0; step < 100; step++) {
            expected.add(forwards.batch(step));
        }
        for (int step = 99; step >= 0; step--) {
            TokenBatch again = backwards.batch(step);
            assertArrayEquals(expected.get(step).ids(), again.ids(), "ids of step " + step);
            assertArrayEquals(expected.get(step).targets(), again.targets(), "targets of step " + step);
        }
        TokenBatch otherSeed = new LanguageModelBatches(sequences(700), BOUNDARY, 16, 6).batch(0);
        assertFalse(Arrays.equals(expected.getFirst().ids(), otherSeed.ids()), "the seed does not count");
        TokenBatch nextEpoch = forwards.batch(forwards.batchesPerEpoch());
        assertFalse(Arrays.equals(expected.getFirst().ids(), nextEpoch.ids()), "every epoch has the same order");
    }

    @Test
    void sequencesOfSimilarLengthMeetLongestFirst() {
        LanguageModelBatches source = new LanguageModelBatches(sequences(5000), BOUNDARY, 16, 5);
        long positions = 0;
        long targets = 0;
        for (long step = 0; step < source.batchesPerEpoch(); step++) {
            TokenBatch batch = source.batch(step);
            assertTrue(batch.T() <= source.maxT() && batch.B() <= source.maxB());
            positions += (long) batch.T() * batch.B();
            targets += batch.targetCount();
            int[] lengths = batch.lengths();
            for (int b = 1; lengths != null && b < batch.B(); b++) {
                assertTrue(lengths[b] <= lengths[b - 1],
                        "step " + step + ": row " + b + " is longer than the one before");
            }
        }
        // Lengths 1 … 30 in no order would leave about half of the positions empty.
        assertTrue(positions - targets < 0.05 * targets, (positions - targets) + " of " + positions + " are padding");
    }

    @Test
    void aRowIsReadFromBoundaryToBoundary() {
        TokenBatch batch = TokenBatch.of(List.of(new int[] {4, 5, 6}, new int[] {}, new int[] {7}), BOUNDARY);
        int none = TrainingKernels.NONE;
        assertEquals(4, batch.T());
        assertEquals(3, batch.B());
        assertArrayEquals(new int[] {0, 0, 0, 4, none, 7, 5, none, none, 6, none, none}, batch.ids());
        assertArrayEquals(new int[] {4, 1, 2}, batch.lengths());
        assertArrayEquals(new int[] {0, 1, 2, 3, 5, 6, 9}, batch.positions());
        assertArrayEquals(new int[] {4, 0, 7, 5, 0, 6, 0}, batch.targets());
    }

    @Test
    void aFullBatchNeedsNeitherLengthsNorPositions() {
        TokenBatch batch = TokenBatch.of(List.of(new int[] {4}, new int[] {5}), BOUNDARY);
        assertNull(batch.lengths());
        assertNull(batch.positions());
        assertArrayEquals(new int[] {4, 5, 0, 0}, batch.targets());
    }

    @Test
    void streamsGoOnWhereTheyWereAndStartAgainAtTheEnd() {
        int[] tokens = new int[2 * 7 + 1 + 1];
        Arrays.setAll(tokens, i -> i);
        StreamBatches source = new StreamBatches(tokens, 2, 3);
        assertEquals(3, source.batchesPerEpoch());
        assertArrayEquals(new int[] {0, 7, 1, 8, 2, 9}, source.batch(0).ids());
        assertArrayEquals(new int[] {1, 8, 2, 9, 3, 10}, source.batch(0).targets());
        assertArrayEquals(new int[] {3, 10, 4, 11, 5, 12}, source.batch(1).ids());
        assertArrayEquals(new int[] {6, 13}, source.batch(2).ids());
        assertArrayEquals(new int[] {7, 14}, source.batch(2).targets());
        assertFalse(source.batch(0).carried());
        assertTrue(source.batch(1).carried());
        assertTrue(source.batch(2).carried());
        assertFalse(source.batch(3).carried());
        assertArrayEquals(source.batch(1).ids(), source.batch(4).ids());
    }

    @Test
    void pairsStayTogether() {
        List<int[]> sources = new ArrayList<>();
        List<int[]> targets = new ArrayList<>();
        for (int k = 1; k <= 50; k++) {
            sources.add(new int[1 + k % 7]);
            Arrays.fill(sources.getLast(), k);
            targets.add(new int[k % 5]);
            Arrays.fill(targets.getLast(), k);
        }
        PairBatches source = new PairBatches(sources, targets, BOUNDARY, 8, 3);
        assertEquals(7, source.maxSourceT());
        assertEquals(5, source.maxTargetT());
        int seen = 0;
        for (long step = 0; step < source.batchesPerEpoch(); step++) {
            PairBatch batch = source.batch(step);
            for (int b = 0; b < batch.B(); b++) {
                int k = batch.source().ids()[b];
                int[] lengths = batch.target().lengths();
                int targetLength = (lengths == null ? batch.target().T() : lengths[b]) - 1;
                assertEquals(k % 5, targetLength, "target length of pair " + k);
                if (targetLength > 0) {
                    assertEquals(k, batch.target().ids()[batch.B() + b], "target of pair " + k);
                }
                seen++;
            }
        }
        assertEquals(50, seen);
    }

    @Test
    void aWindowIsAskedForWhatFollowsIt() {
        float[] values = new float[2 * 40];
        for (int t = 0; t < 40; t++) {
            values[2 * t] = t;
            values[2 * t + 1] = 100 + t;
        }
        SeriesBatches source = new SeriesBatches(values, 2, 1, 3, 4, 10, 8, 9);
        int[] ends = new int[41];
        for (long step = 0; step < source.batchesPerEpoch(); step++) {
            SeriesBatch batch = source.batch(step);
            int[] lengths = Objects.requireNonNull(batch.lengths());
            assertTrue(batch.T() == lengths[0] && batch.T() <= source.maxT());
            for (int k = 0; k < batch.positions().length; k++) {
                int at = batch.positions()[k];
                int b = at % batch.B();
                int t = at / batch.B();
                assertTrue(t >= 3 && t < lengths[b], "position t = " + t + " of a row of length " + lengths[b]);
                float last = batch.x()[at * 2];
                for (int ahead = 0; ahead < 3; ahead++) {
                    assertEquals(100 + last + 1 + ahead, batch.targets()[k * 3 + ahead]);
                }
                if (t == lengths[b] - 1) {
                    ends[(int) last + 1]++;
                }
            }
        }
        for (int end = 0; end <= 40; end++) {
            assertEquals(end >= 4 && end <= 37 ? 1 : 0, ends[end], "windows that end at " + end);
        }
        assertArrayEquals(source.batch(3).x(), source.batch(3).x());
    }

    @Test
    void windowLengthsVary() {
        SeriesBatches source = new SeriesBatches(new float[300], 1, 0, 1, 2, 9, 290, 4);
        int[] counts = new int[10];
        Arrays.stream(Objects.requireNonNull(source.batch(0).lengths())).forEach(length -> counts[length]++);
        for (int length = 2; length <= 9; length++) {
            assertTrue(counts[length] > 10, "length " + length + " came " + counts[length] + " times out of 298");
        }
    }

    @Test
    void aDataSetIsKnownByItsContent() {
        List<int[]> sequences = sequences(20);
        var one = new LanguageModelBatches(sequences, BOUNDARY, 4, 1).configuration();
        assertEquals(one, new LanguageModelBatches(sequences(20), BOUNDARY, 4, 1).configuration());
        sequences.get(7)[0]++;
        assertNotEquals(one, new LanguageModelBatches(sequences, BOUNDARY, 4, 1).configuration());
    }

    @Test
    void shouldRejectDataThatMakesNoBatch() {
        assertMessage("at least one sequence", () -> new LanguageModelBatches(List.of(), 0, 4, 1));
        assertMessage("the text has 3 tokens; at least 4", () -> new StreamBatches(new int[3], 3, 5));
        assertMessage("source 1 is empty", () -> new PairBatches(
                List.of(new int[1], new int[0]), List.of(new int[1], new int[1]), 0, 4, 1));
        assertMessage("2 sources and 1 targets", () -> new PairBatches(
                List.of(new int[1], new int[1]), List.of(new int[1]), 0, 4, 1));
        assertMessage("the series has 6 steps; at least 7", () -> new SeriesBatches(new float[6], 1, 0, 3, 4, 9, 8, 1));
        assertMessage("step is -1", () -> new StreamBatches(new int[9], 3, 5).batch(-1));
    }

    private static void assertMessage(String part, org.junit.jupiter.api.function.Executable call) {
        String message = String.valueOf(assertThrows(IllegalArgumentException.class, call).getMessage());
        assertTrue(message.contains(part), "'" + message + "' does not say '" + part + "'");
    }

    /** Sequences of 1 to 29 tokens, none of them the boundary. */
    private static List<int[]> sequences(int count) {
        Random random = new Random(11);
        List<int[]> sequences = new ArrayList<>();
        for (int k = 0; k < count; k++) {
            sequences.add(random.ints(1 + random.nextInt(29), 1, 50).toArray());
        }
        return sequences;
    }

    /** The sequences a batch was made of, read back from its ids. */
    private static List<int[]> rowsOf(TokenBatch batch) {
        List<int[]> rows = new ArrayList<>();
        for (int b = 0; b < batch.B(); b++) {
            int[] lengths = batch.lengths();
            int length = lengths == null ? batch.T() : lengths[b];
            int[] row = new int[length - 1];
            for (int t = 1; t < length; t++) {
                row[t - 1] = batch.ids()[t * batch.B() + b];
            }
            rows.add(row);
        }
        return rows;
    }
}
