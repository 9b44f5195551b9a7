package dev.gru4j.cuda;

import dev.gru4j.Gates;
import dev.gru4j.GruSpec;

/**
 * Where a plan keeps what in workspace and reserve, as offsets in floats. N = T·B of the plan; a call
 * with fewer steps or rows uses the beginning of each region.
 *
 * <pre>
 * reserve             per layer and direction   states (T+1,B,H)   gates (T,B,4H), both in the order of steps
 *                     per layer but the last    its output (N,D·H)
 * workspace           draw of the dropout masks (3)   lengths (B)
 *                     in inference: two outputs (N,D·H)   in training: two output gradients (N,D·H)
 *                     per direction, for two of them run side by side:
 *   forward           flags of the persistent kernels   gx (N,3H)   gh (B,3H)   in inference: h (2,B,H)   gates (B,4H)
 *   backward          flags   dgx (N,3H)  dgh (N,3H)   dh (B,H)   drh (B,H)   splits
 * </pre>
 */
final class CudaLayout {
    /** Blocks of H in a row of gates: r, z, n and gh_n or, reset-before, r ⊙ hPrev. */
    static final int GATE_BLOCKS = Gates.COUNT + 1;

    /** Workspace: the draw of the dropout masks, three words, at its start. */
    static final int DRAW = 0;

    /** Workspace: lengths (B), right behind, so that one copy brings both. */
    static final int LENGTHS = 3;

    /** Floats of a cache line. */
    private static final int LINE = 32;

    private final GruSpec spec;
    private final long statesLength;
    private final long gatesLength;
    private final long betweenLength;
    private final int betweens;
    private final long reserveLength;
    private final long workspaceLength;

    /** Floats from one direction's regions to the next one's. */
    private final long directionLength;

    private final long between;
    private final long flags;
    private final long gx;
    private final long gh;
    private final long h;
    private final long stepGates;
    private final long dgh;
    private final long dh;
    private final long drh;
    private final long partial;

    CudaLayout(GruSpec spec, int maxT, int maxB, boolean isTraining, long flagWords) {
        this.spec = spec;
        long H = spec.hiddenSize();
        long N = (long) maxT * maxB;
        if (N > Integer.MAX_VALUE) {
            throw new IllegalArgumentException(
                    "a plan for T = " + maxT + " and B = " + maxB + " has " + N + " positions; at most "
                            + Integer.MAX_VALUE + " expected");
        }
        long projection = product(N, Gates.COUNT * H);
        long stepProjection = product(maxB, Gates.COUNT * H);
        long state = product(maxB, H);
        statesLength = product(N + maxB, H);
        gatesLength = product(N, GATE_BLOCKS * H);
        betweenLength = product(N, spec.outputSize());
        betweens = Math.min(2, spec.layers() - 1);

        between = aligned(sum(LENGTHS, maxB));
        flags = aligned(sum(between, betweens * betweenLength));
        gx = sum(flags, flagWords);
        gh = sum(gx, projection);
        h = sum(gh, stepProjection);
        stepGates = sum(h, product(2, state));
        dgh = sum(gx, projection);
        dh = sum(dgh, projection);
        drh = sum(dh, state);
        partial = sum(drh, state);
        long end;
        if (isTraining) {
            reserveLength = sum(
                    product(spec.states(), sum(statesLength, gatesLength)),
                    product(spec.layers() - 1, betweenLength));
            end = Math.max(h, sum(partial, partialLength(spec, (int) N)));
        } else {
            reserveLength = 0;
            end = sum(stepGates, product(maxB, GATE_BLOCKS * H));
        }
        directionLength = aligned(end - flags);
        workspaceLength = sum(flags, product(spec.directions().count(), directionLength));
    }

    /** The next multiple of 128 bytes, so that flags that others poll have cache lines of their own. */
    private static long aligned(long floats) {
        return product(Math.ceilDiv(floats, (long) LINE), LINE);
    }

    long reserveLength() {
        return reserveLength;
    }

    long workspaceLength() {
        return workspaceLength;
    }

    /** Reserve: states (T+1,B,H), block 0 the initial ones. */
    long states(CudaLayer layer) {
        return index(layer) * (statesLength + gatesLength);
    }

    /** Reserve: gates (T,B,4H). */
    long gates(CudaLayer layer) {
        return states(layer) + statesLength;
    }

    /** Reserve: output (N,D·H) of a layer that is not the last. */
    long trainingOutput(int layer) {
        return (long) spec.states() * (statesLength + gatesLength) + layer * betweenLength;
    }

    /** Workspace: the same in inference, where two take turns. */
    long inferenceOutput(int layer) {
        return between + (layer & 1) * betweenLength;
    }

    /** Workspace: gradient of the output of a layer that is not the last; two take turns. */
    long outputGradient(int layer) {
        return between + (layer & 1) * betweenLength;
    }

    /** Workspace: flags of the persistent kernels. */
    long flags(CudaLayer layer) {
        return of(layer, flags);
    }

    /** Workspace: gx (N,3H), or dgx. */
    long gx(CudaLayer layer) {
        return of(layer, gx);
    }

    /** Workspace: gh (B,3H) of a step. */
    long gh(CudaLayer layer) {
        return of(layer, gh);
    }

    /** Workspace, in inference: h (2,B,H). */
    long h(CudaLayer layer) {
        return of(layer, h);
    }

    /** Workspace, in inference: gates (B,4H) of a step. */
    long stepGates(CudaLayer layer) {
        return of(layer, stepGates);
    }

    /** Workspace: dgh (N,3H). */
    long dgh(CudaLayer layer) {
        return of(layer, dgh);
    }

    /** Workspace: dh (B,H), where the caller wants no dh0. */
    long dh(CudaLayer layer) {
        return of(layer, dh);
    }

    /** Workspace: drh (B,H) of reset-before. */
    long drh(CudaLayer layer) {
        return of(layer, drh);
    }

    /** Workspace: room for splits. */
    long partial(CudaLayer layer) {
        return of(layer, partial);
    }

    private long of(CudaLayer layer, long offset) {
        return offset + layer.direction() * directionLength;
    }

    private long index(CudaLayer layer) {
        return (long) layer.layer() * spec.directions().count() + layer.direction();
    }

    /** Room for the splits of the largest weight gradient. */
    private static long partialLength(GruSpec spec, int N) {
        int rows = Gates.COUNT * spec.hiddenSize();
        long length = CudaColumnSums.partialFloats(rows, N);
        for (int layer = 0; layer < spec.layers(); layer++) {
            length = Math.max(length, CudaProduct.partialFloats(rows, spec.layerInputSize(layer), N));
        }
        for (int gates = 1; gates <= Gates.COUNT; gates++) {
            length = Math.max(
                    length, CudaProduct.partialFloats(gates * spec.hiddenSize(), spec.hiddenSize(), N));
        }
        return length;
    }

    private static long product(long a, long b) {
        try {
            return Math.multiplyExact(Math.multiplyExact(a, b), (long) Float.BYTES) / Float.BYTES;
        } catch (ArithmeticException e) {
            throw new IllegalArgumentException("a tensor of " + a + "·" + b + " floats; its bytes overflow 64 bits", e);
        }
    }

    private static long sum(long a, long b) {
        return product(Math.addExact(a, b), 1);
    }
}
