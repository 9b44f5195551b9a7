package dev.gru4j.training.data;

import java.util.Arrays;

/**
 * Interpolated n-gram model with Witten-Bell smoothing (Witten and Bell 1991, method C; in the
 * interpolated form of Chen and Goodman 1998): what counting alone can predict.
 *
 * <pre>
 * P(w | h) = (c(h·w) + T(h) · P(w | h')) / (c(h) + T(h))
 * </pre>
 *
 * c counts events in the training sequences, T(h) is the number of distinct symbols seen after h, h' is h
 * without its oldest symbol, and below the empty context stands the uniform distribution over all symbols.
 * A context that was never seen passes the question on to h' unchanged. An order-k model looks at most k
 * symbols back; the first symbol of a sequence has the context {@link Vocabulary#END}, and no context
 * reaches further back than that.
 *
 * <p>A sequence is its events: every symbol in it is predicted, the {@link Vocabulary#END} it closes with
 * included. This is how the GRU is evaluated, so the numbers compare: same events, same denominator.
 *
 * <p>Counts live in a trie of the training strings, its edges in one open-addressing table. A finished
 * model may be asked from any thread.
 */
public final class NgramModel {
    private static final int ROOT = 0;
    private static final int ABSENT = -1;
    private static final double LN_2 = Math.log(2);

    private final int order;
    private final int symbols;
    private final Edges edges = new Edges();

    // Per node of the trie, that is per string of up to order + 1 symbols.
    private int nodes = 1;
    /** Times the string was seen as (context, predicted symbol). */
    private int[] count = new int[1024];
    /** Sum of the counts of the node's children: c(h) of this string as a context. */
    private int[] total = new int[1024];
    /** Number of children with a count: T(h). */
    private int[] types = new int[1024];

    private NgramModel(int order, int symbols) {
        if (order < 0) {
            throw new IllegalArgumentException("order is " + order + "; 0 or more expected");
        }
        if (symbols < 1) {
            throw new IllegalArgumentException("symbols is " + symbols + "; at least 1 expected");
        }
        this.order = order;
        this.symbols = symbols;
    }

    /**
     * Counts the training sequences.
     *
     * @param order k, the number of symbols looked back at
     * @param symbols size of the vocabulary; ids are 0 … symbols−1
     */
    public static NgramModel train(int order, int symbols, Iterable<int[]> sequences) {
        NgramModel model = new NgramModel(order, symbols);
        for (int[] sequence : sequences) {
            model.count(sequence);
        }
        return model;
    }

    public int order() {
        return order;
    }

    /** Sum of −log2 P over all events of the sequences, divided by their number. */
    public double bitsPerEvent(Iterable<int[]> sequences) {
        return bitsPerEvent(sequences, 0);
    }

    /**
     * {@link #bitsPerEvent(Iterable)} where the first {@code given} symbols of every sequence are only looked
     * back at: the rows of a text that is cut into streams begin with a symbol that no one predicts.
     */
    public double bitsPerEvent(Iterable<int[]> sequences, int given) {
        double bits = 0;
        long events = 0;
        for (int[] sequence : sequences) {
            bits += bits(sequence, given);
            events += Math.max(0, sequence.length - given);
        }
        if (events == 0) {
            throw new IllegalArgumentException("no events; at least one expected");
        }
        return bits / events;
    }

    /** Sum of −log2 P over the events of one sequence. */
    public double bits(int[] sequence) {
        return bits(sequence, 0);
    }

    private double bits(int[] sequence, int given) {
        int[] contexts = firstContexts(false);
        double nats = 0;
        for (int i = 0; i < sequence.length; i++) {
            if (i >= given) {
                nats -= Math.log(probability(contexts, sequence[i]));
            }
            advance(contexts, sequence[i], false);
        }
        return nats / LN_2;
    }

    /** P(symbol | the contexts of length 0, 1, … k); a context never seen is {@link #ABSENT}. */
    private double probability(int[] contexts, int symbol) {
        double p = 1.0 / symbols;
        for (int context : contexts) {
            if (context == ABSENT || total[context] == 0) {
                continue;
            }
            int child = edges.get(context, symbol);
            double seen = child == ABSENT ? 0 : count[child];
            p = (seen + types[context] * p) / ((double) total[context] + types[context]);
        }
        return p;
    }

    private void count(int[] sequence) {
        int[] contexts = firstContexts(true);
        for (int symbol : sequence) {
            if (symbol < 0 || symbol >= symbols) {
                throw new IllegalArgumentException("symbol " + symbol + " found; 0 to " + (symbols - 1) + " expected");
            }
            for (int context : contexts) {
                if (context != ABSENT) {
                    int child = child(context, symbol);
                    types[context] += count[child] == 0 ? 1 : 0;
                    count[child]++;
                    total[context]++;
                }
            }
            advance(contexts, symbol, true);
        }
    }

    /** Contexts before the first symbol: the empty one and, from order 1 on, END. */
    private int[] firstContexts(boolean create) {
        int[] contexts = new int[order + 1];
        Arrays.fill(contexts, ABSENT);
        contexts[0] = ROOT;
        if (order > 0) {
            contexts[1] = create ? child(ROOT, Vocabulary.END) : edges.get(ROOT, Vocabulary.END);
        }
        return contexts;
    }

    /** Appends a symbol to every context; the empty one stays. */
    private void advance(int[] contexts, int symbol, boolean create) {
        for (int k = order; k > 0; k--) {
            int shorter = contexts[k - 1];
            contexts[k] = shorter == ABSENT ? ABSENT : create ? child(shorter, symbol) : edges.get(shorter, symbol);
        }
    }

    private int child(int node, int symbol) {
        int child = edges.get(node, symbol);
        if (child == ABSENT) {
            child = nodes++;
            if (child == count.length) {
                count = Arrays.copyOf(count, 2 * nodes);
                total = Arrays.copyOf(total, 2 * nodes);
                types = Arrays.copyOf(types, 2 * nodes);
            }
            edges.put(node, symbol, child);
        }
        return child;
    }

    /** (node, symbol) to child, linear probing, at most half full. */
    private static final class Edges {
        private long[] keys = new long[2048];
        private int[] children = new int[2048];
        private int size;

        int get(int node, int symbol) {
            int slot = slot(keys, key(node, symbol));
            return keys[slot] == 0 ? ABSENT : children[slot];
        }

        void put(int node, int symbol, int child) {
            if (2 * (size + 1) > keys.length) {
                grow();
            }
            int slot = slot(keys, key(node, symbol));
            keys[slot] = key(node, symbol);
            children[slot] = child;
            size++;
        }

        /** Never 0, so that 0 can mean an empty slot. */
        private static long key(int node, int symbol) {
            return ((long) node << 32 | symbol) + 1;
        }

        private static int slot(long[] keys, long key) {
            int mask = keys.length - 1;
            int slot = (int) HeldOut.finalise(key) & mask;
            while (keys[slot] != 0 && keys[slot] != key) {
                slot = (slot + 1) & mask;
            }
            return slot;
        }

        private void grow() {
            long[] oldKeys = keys;
            int[] oldChildren = children;
            keys = new long[2 * oldKeys.length];
            children = new int[keys.length];
            for (int i = 0; i < oldKeys.length; i++) {
                if (oldKeys[i] != 0) {
                    int slot = slot(keys, oldKeys[i]);
                    keys[slot] = oldKeys[i];
                    children[slot] = oldChildren[i];
                }
            }
        }
    }
}
