package dev.gru4j.backend;

import dev.gru4j.GruParameters;
import dev.gru4j.GruSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * What a plan does and why: which kernels were chosen for which reason, which alternatives were refused and for which,
 * and what the plan needs. {@link GruPlan#report} makes one; {@link GruBackendProvider#planFor} makes one for a device
 * that need not be there.
 *
 * @param backend its name
 * @param spec of the GRU
 * @param maxT longest sequence
 * @param maxB largest batch
 * @param mode of the plan
 * @param parameterBytes of all parameters
 * @param workspaceBytes that one call needs
 * @param reserveBytes that one training forward fills; 0 in inference
 * @param decisions the most important first, the first one about the kernels of the recurrent loop
 * @param facts in the order in which they are to be read
 */
public record PlanReport(
        String backend,
        GruSpec spec,
        int maxT,
        int maxB,
        GruPlan.Mode mode,
        long parameterBytes,
        long workspaceBytes,
        long reserveBytes,
        List<Decision> decisions,
        List<Fact> facts) {

    public PlanReport {
        Objects.requireNonNull(backend, "backend");
        Objects.requireNonNull(spec, "spec");
        Objects.requireNonNull(mode, "mode");
        GruPlan.checkLargest(maxT, maxB);
        decisions = List.copyOf(decisions);
        facts = List.copyOf(facts);
    }

    /**
     * A choice among alternatives.
     *
     * @param subject what was to be decided: {@code kernels}
     * @param choice what was taken
     * @param reason why
     * @param refused the alternatives; empty where there is none
     */
    public record Decision(String subject, String choice, String reason, List<Refusal> refused) {
        public Decision {
            refused = List.copyOf(refused);
        }
    }

    /**
     * An alternative that was not taken.
     *
     * @param alternative its name
     * @param reason why it was refused, with numbers
     */
    public record Refusal(String alternative, String reason) {}

    /** A property of the plan, for people: {@code division}, {@code 128 blocks of 8 units}. */
    public record Fact(String name, String value) {}

    /** All on one line, without what was refused: what {@link GruPlan#description} says. */
    public String line() {
        StringBuilder line = new StringBuilder(backend).append(": ").append(spec);
        for (Decision decision : decisions) {
            line.append(", ").append(decision.subject()).append(' ').append(decision.choice());
            line.append(" (").append(decision.reason()).append(')');
        }
        for (Fact fact : facts) {
            line.append(", ").append(fact.name()).append(' ').append(fact.value());
        }
        return line.append(", ")
                .append(workspaceBytes)
                .append(" bytes of workspace and ")
                .append(reserveBytes)
                .append(" of reserve for T = ")
                .append(maxT)
                .append(" and B = ")
                .append(maxB)
                .toString();
    }

    /** Collects what a backend has to say of a plan, decisions and facts each in the order of the calls. */
    public static final class Builder {
        private final String backend;
        private final List<Decision> decisions = new ArrayList<>();
        private final List<Fact> facts = new ArrayList<>();

        /** @param backend its name */
        public Builder(String backend) {
            this.backend = backend;
        }

        /** A choice among alternatives, see {@link Decision}. */
        public Builder decision(String subject, String choice, String reason, List<Refusal> refused) {
            decisions.add(new Decision(subject, choice, reason, refused));
            return this;
        }

        /** A property, see {@link Fact}. */
        public Builder fact(String name, String value) {
            facts.add(new Fact(name, value));
            return this;
        }

        /**
         * The report.
         *
         * @param workspaceLength in floats, as {@link GruPlan#workspaceLength}
         * @param reserveLength in floats, as {@link GruPlan#reserveLength}
         */
        public PlanReport build(
                GruSpec spec, int maxT, int maxB, GruPlan.Mode mode, long workspaceLength, long reserveLength) {
            return new PlanReport(
                    backend,
                    spec,
                    maxT,
                    maxB,
                    mode,
                    bytes("parameters", GruParameters.of(spec).length()),
                    bytes("workspace", workspaceLength),
                    bytes("reserve", reserveLength),
                    decisions,
                    facts);
        }

        private static long bytes(String what, long floats) {
            try {
                return Math.multiplyExact(floats, (long) Float.BYTES);
            } catch (ArithmeticException e) {
                throw new IllegalArgumentException(what + " of " + floats + " floats; its bytes overflow 64 bits", e);
            }
        }
    }
}
