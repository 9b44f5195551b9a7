package dev.gru4j.benchmarks.comparison;

import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * One row: a cell, what came of every contender, and the machine meanwhile.
 *
 * @param cell what was timed
 * @param measurements one for each contender
 * @param conditions of the machine
 */
public record CellReport(Cell cell, List<Measurement> measurements, Conditions conditions) {
    /** Begins the names of gru4j's own contenders: the others are peers. */
    static final String OWN = "gru4j-";

    /** What came of that contender, if it was measured. */
    public Optional<Measurement> measured(String contender) {
        return measurements.stream().filter(m -> m.isMeasured() && m.contender().equals(contender)).findFirst();
    }

    /** The fastest contender that is not gru4j. */
    public Optional<Measurement> bestPeer() {
        return measurements.stream()
                .filter(m -> m.isMeasured() && !m.contender().startsWith(OWN))
                .min(Comparator.comparingDouble(Measurement::median));
    }

    /** How many times as fast as the fastest peer a contender is. */
    public Optional<Double> ratio(String contender) {
        return measured(contender).flatMap(own -> bestPeer().map(peer -> peer.median() / own.median()));
    }

    /** GFLOP/s of a measurement. */
    public double rate(Measurement measurement) {
        return cell.flop() / measurement.median() / 1e3;
    }

    /** GFLOP/s as a share of the peak. */
    public double ofPeak(Measurement measurement) {
        return rate(measurement) / conditions.peak();
    }

    /** The floor as a share of the time. */
    public double ofFloor(Measurement measurement) {
        return conditions.floor(cell) / measurement.median();
    }
}
