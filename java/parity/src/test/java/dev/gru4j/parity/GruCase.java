package dev.gru4j.parity;

import dev.gru4j.BiasMode;
import dev.gru4j.Directions;
import dev.gru4j.GruShape;
import dev.gru4j.GruSpec;
import dev.gru4j.GruVariant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * One problem: a shape and a value for every {@link Factor}. Its text, {@code T7 B3 I13 H29 variant=reset_before},
 * names the options that differ from their default, is enough to rebuild it, and seeds its random data.
 */
record GruCase(GruShape shape, Map<Factor, String> options) {
    GruCase {
        EnumMap<Factor, String> complete = new EnumMap<>(Factor.class);
        for (Factor factor : Factor.values()) {
            String value = options.getOrDefault(factor, factor.defaultValue());
            if (!factor.choices().contains(value)) {
                throw new IllegalArgumentException(
                        factor.label() + " is '" + value + "'; one of " + factor.choices() + " expected");
            }
            complete.put(factor, value);
        }
        options = Collections.unmodifiableMap(complete);
    }

    /** A case from its text, words in any order. */
    static GruCase parse(String text) {
        int[] sizes = {-1, -1, -1, -1};
        Map<Factor, String> options = new EnumMap<>(Factor.class);
        for (String word : text.strip().split("\\s+", -1)) {
            int letter = word.isEmpty() ? -1 : "TBIH".indexOf(word.charAt(0));
            if (letter >= 0 && word.substring(1).matches("\\d+")) {
                sizes[letter] = Integer.parseInt(word.substring(1));
            } else {
                Map.Entry<Factor, String> option = option(word, text);
                options.put(option.getKey(), option.getValue());
            }
        }
        if (Arrays.stream(sizes).anyMatch(s -> s < 0)) {
            throw new IllegalArgumentException("'" + text + "' lacks one of T, B, I, H; 'T7 B3 I13 H29 …' expected");
        }
        return new GruCase(new GruShape(sizes[0], sizes[1], sizes[2], sizes[3]), options);
    }

    private static Map.Entry<Factor, String> option(String word, String text) {
        int equals = word.indexOf('=');
        Optional<Factor> factor = Arrays.stream(Factor.values())
                .filter(f -> equals > 0 && f.label().equals(word.substring(0, equals)))
                .findFirst();
        List<String> known = Arrays.stream(Factor.values()).map(Factor::label).toList();
        return Map.entry(
                factor.orElseThrow(() -> new IllegalArgumentException("'" + word + "' in '" + text
                        + "' is neither a size such as T7 nor option=value with an option of " + known)),
                word.substring(equals + 1));
    }

    GruSpec spec() {
        return new GruSpec(
                shape.I(),
                shape.H(),
                Integer.parseInt(value(Factor.LAYERS)),
                Directions.valueOf(upper(Factor.DIRECTIONS)),
                GruVariant.valueOf(upper(Factor.VARIANT)),
                BiasMode.valueOf(upper(Factor.BIAS)),
                Float.parseFloat(value(Factor.DROPOUT)));
    }

    /** Whether training differs from inference by its dropout masks. */
    boolean dropsFeatures() {
        return spec().dropout() > 0 && spec().layers() > 1;
    }

    String value(Factor factor) {
        return options.getOrDefault(factor, factor.defaultValue());
    }

    boolean is(Factor factor, String value) {
        if (!factor.choices().contains(value)) {
            throw new IllegalArgumentException(factor + " is never '" + value + "'");
        }
        return value(factor).equals(value);
    }

    /** Seed of the case's random data: its text's hash, so the text alone repeats it. */
    long seed() {
        return Integer.toUnsignedLong(toString().hashCode());
    }

    @Override
    public String toString() {
        List<String> words = new ArrayList<>(List.of(shape.toString()));
        options.forEach((factor, value) -> {
            if (!value.equals(factor.defaultValue())) {
                words.add(factor.label() + "=" + value);
            }
        });
        return String.join(" ", words);
    }

    private String upper(Factor factor) {
        return value(factor).toUpperCase(Locale.ROOT);
    }
}
