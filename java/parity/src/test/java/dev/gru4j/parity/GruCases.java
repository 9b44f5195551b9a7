package dev.gru4j.parity;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The cases of a run: every shape meets every value of every option, and every two option values meet, see
 * {@link Pairwise}. Lines that name options are run as they stand.
 */
final class GruCases {
    /** {@code quick} or {@code full}. */
    static final String SET_PROPERTY = "gru4j.parity";

    private static final long SEED = 20141;

    private GruCases() {}

    /** The set that {@value #SET_PROPERTY} names. */
    static List<GruCase> ofRun() {
        String set = System.getProperty(SET_PROPERTY, "quick");
        return switch (set) {
            case "quick" -> of("quick", "cuda", "regression");
            case "full" -> of("quick", "full", "cuda", "regression");
            default -> throw new IllegalArgumentException(
                    SET_PROPERTY + " is '" + set + "'; quick or full expected");
        };
    }

    /** The cases of the reduced precisions, as they stand in {@code reduced.shapes}. */
    static List<GruCase> reduced() {
        return ShapeFile.read("reduced").stream().map(ShapeFile.Line::problem).toList();
    }

    /** The crossed cases of some shape files. */
    static List<GruCase> of(String... files) {
        List<GruCase> crossed = new ArrayList<>();
        Set<GruCase> cases = new LinkedHashSet<>();
        for (String file : files) {
            for (ShapeFile.Line line : ShapeFile.read(file)) {
                (line.hasOptions() ? cases : crossed).add(line.problem());
            }
        }
        Factor[] factors = Factor.values();
        int[] levels = new int[factors.length + 1];
        for (int f = 0; f < factors.length; f++) {
            levels[f] = factors[f].choices().size();
        }
        levels[factors.length] = crossed.size();
        for (int[] row : Pairwise.rows(levels, SEED)) {
            Map<Factor, String> options = new EnumMap<>(Factor.class);
            for (int f = 0; f < factors.length; f++) {
                options.put(factors[f], factors[f].choices().get(row[f]));
            }
            cases.add(new GruCase(crossed.get(row[factors.length]).shape(), options));
        }
        return List.copyOf(cases);
    }
}
