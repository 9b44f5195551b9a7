package dev.gru4j.benchmarks.comparison;

import com.fasterxml.jackson.annotation.JsonIgnore;
import java.util.List;
import java.util.Map;

/**
 * What came of one contender in one cell.
 *
 * @param contender its name
 * @param outcome what {@code note} is about
 * @param configuration that counts, the best of all tried; empty if none was timed
 * @param note how far it was off, or why there are no times
 * @param slices microseconds a call, one number for each turn in a round that counts
 * @param calls in these slices together
 * @param tried microseconds a call of every configuration in a first turn, where there are several
 */
public record Measurement(
        String contender,
        Outcome outcome,
        String configuration,
        String note,
        List<Double> slices,
        long calls,
        Map<String, Double> tried) {
    /** How it ended. */
    public enum Outcome {
        /** Checked and timed. */
        MEASURED,
        /** The contender says that it cannot. */
        REFUSED,
        /** It died, hung or computed something wrong. */
        FAILED
    }

    static Measurement without(String contender, Outcome outcome, String note) {
        return new Measurement(contender, outcome, "", note, List.of(), 0, Map.of());
    }

    @JsonIgnore
    public boolean isMeasured() {
        return outcome == Outcome.MEASURED;
    }

    /** Microseconds a call; NaN if it was not measured. */
    public double median() {
        return Statistics.median(slices);
    }
}
