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
 * workspace           lengths (B)   flags of the persistent kernels
 *   forward           gx (N,3H)   gh (B,3H)     and in inference: h (2,B,H)   gates (B,4H)   two outputs (N,D·H)
 *   backward          dgx (N,3H)  dgh (N,3H)    dh (B,H)   drh (B,H)   two output gradients (N,D·H)   splits
 * </pre>
 */
final class CudaLayout {
    /** Blocks of H in a row of gates: r, z, n and gh_n or, reset-before, r ⊙ hPrev. */
    static final int GATE_BLOCKS = Gates.COUNT + 1;

    private final GruSpec spec;
    private final long statesLength;
    private final long gatesLength;
    private final long betweenLength;
    private final int betweens;
    private final long reserveLength;
    private final long workspaceLength;

    final long flags;

    /** Offset of gx, or of dgx. */
    final long gx;

    final long gh;
    final long h;
    final long stepGates;
    private final long between;

    final long dgh;
    final long dh;
    final long drh;
    private final long dBetween;
    final long partial;

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

        long lengths = Math.ceilDiv(maxB, 4) * 4L;
        flags = lengths;
        gx = sum(flags, flagWords);
        gh = sum(gx, projection);
        h = sum(gh, stepProjection);
        stepGates = sum(h, product(2, state));
        between = sum(stepGates, product(maxB, GATE_BLOCKS * H));
        dgh = sum(gx, projection);
        dh = sum(dgh, projection);
        drh = sum(dh, state);
        dBetween = sum(drh, state);
        partial = sum(dBetween, betweens * betweenLength);
        if (isTraining) {
            reserveLength = sum(
                    product(spec.states(), sum(statesLength, gatesLength)),
                    product(spec.layers() - 1, betweenLength));
            workspaceLength = Math.max(h, sum(partial, partialLength(spec, (int) N)));
        } else {
            reserveLength = 0;
            workspaceLength = sum(between, betweens * betweenLength);
        }
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
        return dBetween + (layer & 1) * betweenLength;
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
