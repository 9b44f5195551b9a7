package dev.gru4j.cli;

import dev.gru4j.backend.ProductPrecision;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The settings that decide what a run computes, collected one by one: from the command line, from the
 * checkpoint a resumed run goes on from, or the default. What was collected is also what is recorded in
 * checkpoints and printed as the command that repeats the run: one list for the three.
 */
final class Settings {
    private static final String PRECISION = "precision";

    private final @Nullable Map<String, String> recorded;
    private final Map<String, String> collected = new LinkedHashMap<>();

    /** @param recorded the settings of the run to go on with; absent: a new run */
    Settings(@Nullable Map<String, String> recorded) {
        this.recorded = recorded;
    }

    /** An integer of at least {@code least}. */
    int integer(String name, @Nullable Integer given, int fallback, int least) {
        int value = choose(name, given, fallback, Integer::valueOf);
        if (value < least) {
            throw new UsageException("--" + name + " is " + value + "; at least " + least + " expected");
        }
        return value;
    }

    /** Any 64-bit integer. */
    long seed(@Nullable Long given, long fallback) {
        return choose("seed", given, fallback, Long::valueOf);
    }

    /** A number above {@code above} and below {@code below}, or equal to {@code above} if that is allowed. */
    float number(String name, @Nullable Float given, float fallback, boolean zeroAllowed, float below) {
        float value = choose(name, given, fallback, Float::valueOf);
        if (!((zeroAllowed ? value >= 0 : value > 0) && value < below)) {
            throw new UsageException("--" + name + " is " + value + "; "
                    + (zeroAllowed ? "0 or more" : "a positive number") + ", below " + below + ", expected");
        }
        return value;
    }

    /** Of matrix products; fp32 unless given. Checkpoints that name none are of a time when there was no other. */
    ProductPrecision precision(@Nullable ProductPrecision given) {
        if (recorded == null || recorded.containsKey(PRECISION)) {
            return choose(PRECISION, given, ProductPrecision.FP32, ProductPrecision::of);
        }
        if (given != null && given != ProductPrecision.FP32) {
            throw differs(PRECISION, given, ProductPrecision.FP32);
        }
        collected.put(PRECISION, ProductPrecision.FP32.toString());
        return ProductPrecision.FP32;
    }

    /** A text without a default; absent stays absent. */
    @Nullable
    String text(String name, @Nullable String given) {
        String before = recorded == null ? null : recorded.get(name);
        if (recorded != null && given != null && !given.equals(before)) {
            throw differs(name, given, before == null ? "none" : before);
        }
        String value = recorded == null ? given : before;
        if (value != null) {
            collected.put(name, value);
        }
        return value;
    }

    /** A text whose default depends on other settings, which is why it is recorded only where it is not the default. */
    String text(String name, @Nullable String given, String fallback) {
        String before = recorded == null ? null : recorded.getOrDefault(name, fallback);
        if (before != null && given != null && !given.equals(before)) {
            throw differs(name, given, before);
        }
        String value = before != null ? before : given != null ? given : fallback;
        if (!value.equals(fallback)) {
            collected.put(name, value);
        }
        return value;
    }

    private <V> V choose(String name, @Nullable V given, V fallback, Function<String, V> parse) {
        V value = given == null ? fallback : given;
        if (recorded != null) {
            String text = recorded.get(name);
            if (text == null) {
                throw new IllegalStateException(
                        "the checkpoint does not record " + name + ": it is of another command");
            }
            try {
                value = parse.apply(text);
            } catch (IllegalArgumentException e) {
                throw new IllegalStateException("the checkpoint records '" + text + "' as " + name, e);
            }
            if (given != null && !given.equals(value)) {
                throw differs(name, given, value);
            }
        }
        collected.put(name, value.toString());
        return value;
    }

    private static UsageException differs(String name, Object given, Object recorded) {
        return new UsageException("--" + name + " is " + given + "; the run to be resumed has " + recorded
                + " (leave the option away, or start a new run without --resume)");
    }

    /** Everything collected, by name. */
    Map<String, String> notes() {
        return Map.copyOf(collected);
    }

    /** Everything collected, as it stands on a command line. */
    String arguments() {
        StringBuilder line = new StringBuilder();
        collected.forEach((name, value) -> line.append(" --").append(name).append(' ').append(ShellWord.quote(value)));
        return line.substring(line.isEmpty() ? 0 : 1);
    }
}
