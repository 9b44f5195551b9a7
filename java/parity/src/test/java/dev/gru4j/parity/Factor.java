package dev.gru4j.parity;

import java.util.List;

/**
 * Everything about a case but its shape: one option each, with the values it may take, the default first. Ids,
 * parsing and the pairwise crossing all follow from this list.
 */
enum Factor {
    /** {@link dev.gru4j.GruVariant}. */
    VARIANT("reset_after", "reset_before"),
    /** {@link dev.gru4j.BiasMode}. */
    BIAS("both", "input", "none"),
    /** {@link dev.gru4j.Directions}. */
    DIRECTIONS("forward", "reverse", "bidirectional"),
    /** L. */
    LAYERS("1", "2", "3"),
    /**
     * Valid steps per row: absent; random with at least one empty and one full row where B allows; sorted from long
     * to short as packed sequences are; all zero. Padding of x and dy is always NaN.
     */
    LENGTHS("absent", "random", "sorted", "zero"),
    /** Initial state. */
    H0("random", "absent"),
    /** Which gradients arrive. */
    INCOMING("dy_and_dhT", "dy", "dhT"),
    /** Which outputs are asked for: all; hT, dh0 and dParameters; y and dx. */
    OUTPUTS("all", "last", "sequence"),
    /** Probability. It acts between layers only, and only in training. */
    DROPOUT("0", "0.25"),
    /** What happens to dParameters. */
    GRADIENTS("overwritten", "accumulated"),
    /** Size of x and h0: pre-activations around 1, or of some tens, which saturates gates and leaves exp's middle. */
    VALUES("ordinary", "large"),
    /** Whether the plan and every memory have just the size of the call, or more. */
    ROOM("exact", "spare");

    @SuppressWarnings("ImmutableEnumChecker") // It comes from List.of.
    private final List<String> choices;

    Factor(String... choices) {
        this.choices = List.of(choices);
    }

    /** The name in ids: {@code variant}. */
    String label() {
        return name().toLowerCase(java.util.Locale.ROOT);
    }

    /** All values, the default first. */
    List<String> choices() {
        return choices;
    }

    String defaultValue() {
        return choices.getFirst();
    }
}
