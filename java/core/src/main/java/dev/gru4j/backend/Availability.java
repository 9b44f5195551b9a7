package dev.gru4j.backend;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Whether a backend can run here; if not, why, and what would change that.
 *
 * @param reason what is missing; {@code null} when available
 * @param remedy what to do about it, a command or a flag where there is one; {@code null} when available
 */
public record Availability(@Nullable String reason, @Nullable String remedy) {
    private static final Availability AVAILABLE = new Availability(null, null);

    public Availability {
        if ((reason == null) != (remedy == null)) {
            throw new IllegalArgumentException("reason and remedy come together");
        }
    }

    public static Availability available() {
        return AVAILABLE;
    }

    public static Availability unavailable(String reason, String remedy) {
        return new Availability(
                Objects.requireNonNull(reason, "reason"), Objects.requireNonNull(remedy, "remedy"));
    }

    public boolean isAvailable() {
        return reason == null;
    }

    /** {@code available}, or the reason and, in brackets, the remedy. */
    @Override
    public String toString() {
        return isAvailable() ? "available" : reason + " (" + remedy + ")";
    }
}
