package dev.gru4j.benchmarks;

import java.util.Arrays;
import java.util.Locale;

/**
 * What a program of {@code ci/gpu} has to say to the report: lines of {@code measure}, then
 * {@code name=value} pairs, all separated by tabs. {@link RunReport} collects them.
 */
final class Measures {
    private Measures() {}

    /** Prints one line; the pairs come as name, value, name, value. */
    static void print(Object... namesAndValues) {
        StringBuilder line = new StringBuilder("measure");
        for (int i = 0; i < namesAndValues.length; i += 2) {
            String value = String.valueOf(namesAndValues[i + 1]).replaceAll("\\s+", " ");
            line.append('\t').append(namesAndValues[i]).append('=').append(value);
        }
        System.out.println(line);
        System.out.flush();
    }

    /** A time for {@link #print}: four digits, so that a table is not wider than its truth. */
    static String number(double value) {
        return String.format(Locale.ROOT, "%.4g", value).contains("e")
                ? String.format(Locale.ROOT, "%.0f", value)
                : String.format(Locale.ROOT, "%.4g", value);
    }

    /** The value below which that share of the sorted values lies. */
    static double quantile(double share, double... sorted) {
        return sorted[(int) Math.round(share * (sorted.length - 1))];
    }

    /** The values, sorted. */
    static double[] sorted(double... values) {
        double[] copy = values.clone();
        Arrays.sort(copy);
        return copy;
    }
}
