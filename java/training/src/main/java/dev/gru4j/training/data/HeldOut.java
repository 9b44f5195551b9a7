package dev.gru4j.training.data;

import java.nio.charset.StandardCharsets;

/**
 * Decides by a hash of an item whether it belongs to the held-out part, so that the split depends on
 * neither the order nor the number of the other items and is the same on every machine.
 *
 * <p>The hash is 64-bit FNV-1a over the item's UTF-8 bytes, then MurmurHash3's 64-bit finaliser, because
 * FNV's own low bits are weak for short strings. An item is held out when the hash, read as an unsigned
 * number, is divisible by {@code oneIn}.
 */
public final class HeldOut {
    /** One item in this many is held out: 5 %. */
    public static final int ONE_IN = 20;

    private static final long FNV_OFFSET_BASIS = 0xCBF29CE484222325L;
    private static final long FNV_PRIME = 0x100000001B3L;

    private HeldOut() {}

    /** Whether {@code item} is in the held-out part of about one item in {@code oneIn}. */
    public static boolean contains(String item, int oneIn) {
        if (oneIn < 2) {
            throw new IllegalArgumentException("oneIn is " + oneIn + "; at least 2 expected");
        }
        return Long.remainderUnsigned(hash(item), oneIn) == 0;
    }

    /** The hash described above. */
    static long hash(String item) {
        return finalise(fnv1a(item));
    }

    static long fnv1a(String item) {
        long hash = FNV_OFFSET_BASIS;
        for (byte b : item.getBytes(StandardCharsets.UTF_8)) {
            hash = (hash ^ (b & 0xFF)) * FNV_PRIME;
        }
        return hash;
    }

    /** {@code fmix64} of MurmurHash3. */
    static long finalise(long hash) {
        hash = (hash ^ (hash >>> 33)) * 0xFF51AFD7ED558CCDL;
        hash = (hash ^ (hash >>> 33)) * 0xC4CEB9FE1A85EC53L;
        return hash ^ (hash >>> 33);
    }
}
