package dev.gru4j.benchmarks.comparison;

import java.util.ArrayList;
import java.util.List;

/** One configuration of one contender in a cell, on the driver's side. */
final class Lane {
    private final int number;
    private final String contender;
    private final String configuration;
    private final List<Double> rounds = new ArrayList<>();
    private String checked = "";
    private double first = Double.NaN;
    private long calls;

    Lane(int number, String contender, String configuration) {
        this.number = number;
        this.contender = contender;
        this.configuration = configuration;
    }

    int number() {
        return number;
    }

    String contender() {
        return contender;
    }

    String configuration() {
        return configuration;
    }

    void checked(Reply prepared) {
        checked = prepared.text();
        first = prepared.seconds() / prepared.calls();
    }

    /** How far its results were off. */
    String checked() {
        return checked;
    }

    /** Seconds of a call at the end of warming up. */
    double first() {
        return first;
    }

    /** Takes a turn of a round: one number in every round, in their order. */
    void add(Reply slice) {
        rounds.add(1e6 * slice.seconds() / slice.calls());
        calls += slice.calls();
    }

    /** Microseconds a call in each round so far. */
    List<Double> rounds() {
        return rounds;
    }

    long calls() {
        return calls;
    }
}
