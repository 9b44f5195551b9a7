package dev.gru4j.training.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class HeldOutTest {
    /** Values published with FNV by its authors, and MurmurHash3's finaliser of 1. */
    @Test
    void hashEqualsThePublishedValues() {
        assertEquals(0xCBF29CE484222325L, HeldOut.fnv1a(""));
        assertEquals(0xAF63DC4C8601EC8CL, HeldOut.fnv1a("a"));
        assertEquals(0x85944171F73967E8L, HeldOut.fnv1a("foobar"));
        assertEquals(0xB456BCFC34C2CB2CL, HeldOut.finalise(1));
    }

    @Test
    void aboutOneItemInTwentyIsHeldOut() {
        long heldOut = IntStream.range(0, 100_000)
                .filter(i -> HeldOut.contains("item " + i, 20))
                .count();
        // Binomial with n = 100,000 and p = 1/20: five standard deviations are 345.
        assertEquals(5000.0, (double) heldOut, 345.0, "held-out items of 100000");
    }

    @Test
    void shouldRefuseToHoldEverythingOut() {
        assertThrows(IllegalArgumentException.class, () -> HeldOut.contains("a", 1));
    }
}
