package dev.gru4j.backend;

import java.util.Locale;

/** How the kernels of a GPU go through the steps of a sequence. Results of both families are the same within the bound. */
public enum KernelFamily {
    /** What fits and is expected to be faster; chosen so that it changes no bit of a result. */
    AUTO,

    /** A few launches for each step; any size. */
    STEPWISE,

    /** One launch for all steps, the recurrent weights staying on the chip; sizes that fit there. */
    PERSISTENT;

    /**
     * The family of that name in lower case, as options and properties write it.
     *
     * @throws IllegalArgumentException if there is none
     */
    public static KernelFamily of(String name) {
        for (KernelFamily family : values()) {
            if (family.toString().equals(name)) {
                return family;
            }
        }
        throw new IllegalArgumentException(
                "family of kernels is '" + name + "'; auto, stepwise or persistent expected");
    }

    /** The name in lower case. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
