package dev.gru4j.benchmarks.comparison;

import java.util.Collection;
import java.util.List;

/** Few numbers, summed up. */
final class Statistics {
    private Statistics() {}

    /** The middle one, or the mean of the two in the middle; NaN of none. */
    static double median(Collection<Double> values) {
        List<Double> sorted = values.stream().sorted().toList();
        int n = sorted.size();
        return n == 0 ? Double.NaN : (sorted.get((n - 1) / 2) + sorted.get(n / 2)) / 2;
    }

    /** NaN of none. */
    static double min(Collection<Double> values) {
        return values.stream().mapToDouble(v -> v).min().orElse(Double.NaN);
    }

    /** NaN of none. */
    static double max(Collection<Double> values) {
        return values.stream().mapToDouble(v -> v).max().orElse(Double.NaN);
    }

    /** The n-th root of the product; NaN of none. */
    static double geometricMean(Collection<Double> values) {
        return Math.exp(values.stream().mapToDouble(Math::log).average().orElse(Double.NaN));
    }
}
