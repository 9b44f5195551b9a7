package dev.gru4j.benchmarks.comparison;

import java.util.List;

/**
 * What a worker answers, one line of JSON.
 *
 * @param ok whether it could
 * @param text what it found, or why it could not
 * @param names configurations of a cell
 * @param calls made in a slice
 * @param seconds they took together; after warming up, of one call
 * @param rates measured ones, in the order that the command's method of {@link MachineRates} documents
 */
record Reply(boolean ok, String text, List<String> names, long calls, double seconds, List<Double> rates) {
    static Reply text(boolean ok, String text) {
        return new Reply(ok, text, List.of(), 0, 0, List.of());
    }

    static Reply names(List<String> names) {
        return new Reply(true, "", names, 0, 0, List.of());
    }

    static Reply slice(String text, long calls, double seconds) {
        return new Reply(true, text, List.of(), calls, seconds, List.of());
    }

    static Reply rates(Double... rates) {
        return new Reply(true, "", List.of(), 0, 0, List.of(rates));
    }
}
