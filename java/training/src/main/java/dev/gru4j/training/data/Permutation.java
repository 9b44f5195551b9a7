package dev.gru4j.training.data;

import dev.gru4j.Philox;

/**
 * A pseudorandom order of 0 … size−1 as a pure function of key and tweak, without a table: a Feistel
 * network over the next even number of bits, walked until it lands below size (Black and Rogaway,
 * "Ciphers with arbitrary finite domains", 2002). Belongs to one thread.
 */
final class Permutation {
    /** Four rounds make a Feistel network pseudorandom (Luby and Rackoff 1988); two more for small domains. */
    private static final int ROUNDS = 6;

    private final int size;
    private final int halfBits;
    private final int mask;
    private final long key;
    private final long tweak;
    private final int[] words = new int[4];

    /**
     * @param size at least 1
     * @param key seed
     * @param tweak which of the many orders under this key: the epoch
     */
    Permutation(int size, long key, long tweak) {
        this.size = size;
        int bits = Math.max(2, Integer.SIZE - Integer.numberOfLeadingZeros(size - 1));
        this.halfBits = (bits + 1) / 2;
        this.mask = (1 << halfBits) - 1;
        this.key = key;
        this.tweak = tweak;
    }

    /** The number at {@code index} of the order. */
    int at(int index) {
        // At most four times as many numbers as size, so about two walks on average, never without end:
        // the cycle through index comes back to index, which is below size.
        long number = index;
        do {
            number = encrypt(number);
        } while (number >= size);
        return (int) number;
    }

    private long encrypt(long number) {
        int left = (int) (number >>> halfBits);
        int right = (int) number & mask;
        for (int round = 0; round < ROUNDS; round++) {
            Philox.block(right, round, (int) tweak, (int) (tweak >>> Integer.SIZE), key, words);
            int next = left ^ (words[0] & mask);
            left = right;
            right = next;
        }
        return ((long) left << halfBits) | right;
    }
}
