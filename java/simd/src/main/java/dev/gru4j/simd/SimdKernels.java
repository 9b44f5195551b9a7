package dev.gru4j.simd;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;

/**
 * Everything that depends on the vector width, behind one interface; the build generates one
 * implementation per width.
 *
 * <p>Conventions: {@code xo} is the offset of the first float in array {@code x}, {@code xs} or
 * {@code ldx} the distance of its rows; {@code xRows[xr + i]} is the row of {@code x} that row i of the
 * call means. {@code u} is the number of hidden units of a gate panel, a multiple of the lanes; offsets
 * of gates point at the panel's r, with z at +u and n at +2u.
 */
abstract class SimdKernels {
    final int bits;
    final int lanes;
    final SimdShape shape;

    SimdKernels(int bits, SimdShape shape) {
        this.bits = bits;
        this.lanes = bits / Float.SIZE;
        this.shape = shape;
    }

    /**
     * The kernels of a width.
     *
     * @param bits 128, 256, 512, or 0 for the widest that the processor runs well
     * @throws IllegalArgumentException if the processor's vectors are narrower
     */
    static SimdKernels of(int bits) {
        return of(bits, FloatVector.SPECIES_PREFERRED.vectorBitSize(), System.getProperty("os.arch", ""));
    }

    /** {@link #of(int)} for a processor whose vectors have up to {@code widest} bits. */
    static SimdKernels of(int bits, int widest, String architecture) {
        int chosen = bits == 0 ? Math.min(widest, 512) : bits;
        if (chosen > widest) {
            throw new IllegalArgumentException(
                    "vectorBits is " + chosen + "; this processor and JVM run vectors of up to " + widest + " bits");
        }
        // AVX-512 and NEON have 32 registers at every width, AVX2 and SSE 16.
        boolean many = widest >= 512 || architecture.equals("aarch64");
        SimdShape shape = SimdShape.forRegisters(many ? 32 : 16);
        SimdKernels kernels = switch (chosen) {
            case 128 -> new SimdKernels128(shape);
            case 256 -> new SimdKernels256(shape);
            case 512 -> new SimdKernels512(shape);
            default -> throw new IllegalArgumentException("vectorBits is " + chosen + "; 128, 256 or 512 expected");
        };
        kernels.loadVectorClasses();
        return kernels;
    }

    /**
     * Touches every kind of vector, integers and masks among them. A vector class that is loaded later
     * invalidates what C2 has compiled by then, and the second compilation may be many times slower.
     */
    private void loadVectorClasses() {
        float[] few = new float[2 * lanes];
        sigmoid(few, lanes);
        tanh(few, lanes);
        max(few, 0, lanes);
        expShifted(few, 0, 1f, few, 0, lanes + 1);
    }

    /**
     * Rows of a matrix times one packed panel: {@code c[i,:] = init[i,:] + Σ_k a[aRows[ar+i],k]·w[k,:]}.
     *
     * @param vectors width of the panel in vectors: 6 or 3 (gates), 3, 2 or 1 (general)
     * @param a row-major
     * @param wo offset of the panel in w, in bytes; the panel is (K,vectors·lanes)
     * @param is distance of the rows of init; 0: one row for all, a bias, as panels of 6 vectors always have
     */
    abstract void multiply(
            int vectors, int rows, float[] a, int ao, int lda, int[] aRows, int ar, MemorySegment w, long wo, int K,
            float[] init, int io, int is, float[] c, int co, int cs);

    /**
     * One row times consecutive packed panels, each of {@code parts} blocks (K,vectors·lanes) that share a sum:
     * {@code c[p,:] = init[p,:] + Σ_part Σ_k a[part·K+k]·w[p,part,k,:]}, every part a chain of its own, the parts added in
     * their order.
     *
     * @param pairs whether w is in bf16: of every block, rows k and k + 1 in the low and high halves of ints, K rounded up
     *     to even; a must then be finite behind an odd K, where the weight is 0
     * @param vectors width of the panels in vectors: 3, 2 or 1
     * @param parts 1, 2 or 3
     * @param descending whether to take the panels last first: what a step read last is still in cache in the next
     * @param wo offset of the first panel in w, in bytes
     * @param stride from panel to panel, in bytes
     */
    abstract void multiplyRow(
            boolean pairs, int vectors, int panels, int parts, boolean descending, float[] a, int ao,
            MemorySegment w, long wo, long stride, int K, float[] init, int io, float[] c, int co);

    /**
     * A packed panel (K,8) times a packed panel of 2 or 1 vectors:
     * {@code c[i,:] = (add ? c[i,:] : 0) + Σ_k a[k,i]·b[k,:]}.
     */
    abstract void multiplyTransposed(
            int vectors, float[] a, int ao, MemorySegment b, long bo, int K, float[] c, int co, int cs, boolean add);

    /** r = σ(gx_r + gh_r), z = σ(gx_z + gh_z) over gx; {@code width} is 2u. */
    abstract void forwardGates(float[] gh, int gho, int ghs, float[] gates, int go, int gs, int rows, int width);

    /** Reset-after: n = tanh(gx_n + r ⊙ gh_n) over gx_n, the new state, and gh_n into kept. */
    abstract void forwardCandidateAfter(
            float[] gh, int gho, int ghs, float[] gates, int go, int gs, int u,
            float[] state, int so, int ss, int[] prevRow, int pr, int nextRow,
            float[] kept, int ko, int ks, int rows);

    /** Reset-before: r ⊙ hPrev into kept. */
    abstract void forwardReset(
            float[] gates, int go, int gs, int u, float[] state, int so, int ss, int[] prevRow, int pr,
            float[] kept, int ko, int ks, int rows);

    /** Reset-before: n = tanh(gx_n + gh_n) over gx_n, and the new state. */
    abstract void forwardCandidateBefore(
            float[] gh, int gho, int ghs, float[] gates, int go, int gs, int u,
            float[] state, int so, int ss, int[] prevRow, int pr, int nextRow, int rows);

    /**
     * Reset-after: [dnPre, drPre, dzPre, dnPre ⊙ r] in blocks of dgates, dh ← dh ⊙ z. Runs row by row over panels of u
     * units, {@code units} in all, since most of what it reads comes from memory and is fetched ahead only in order; so
     * do the next two.
     */
    abstract void backwardAfter(
            float[] gates, int go, int gs, int u, int units, float[] kept, int ko, int ks,
            float[] state, int so, int ss, int[] prevRow, int pr,
            float[] dh, int dho, int dhs, float[] dgates, int dgo, int dgs, int block, int rows);

    /** Reset-before, first half: dnPre and dzPre into blocks 0 and 2 of dgates, dh ← dh ⊙ z. */
    abstract void backwardBefore(
            float[] gates, int go, int gs, int u, int units, float[] state, int so, int ss, int[] prevRow, int pr,
            float[] dh, int dho, int dhs, float[] dgates, int dgo, int dgs, int block, int rows);

    /** Reset-before, second half: drPre from drh = dnPre·W_hn into block 1, dh ← dh + drh ⊙ r. */
    abstract void backwardReset(
            float[] gates, int go, int gs, int u, int units, float[] drh, int dro, int drs,
            float[] state, int so, int ss, int[] prevRow, int pr,
            float[] dh, int dho, int dhs, float[] dgates, int dgo, int dgs, int block, int rows);

    /**
     * {@code rows} ≤ lanes rows of K floats as columns of a packed panel, its rows {@code step} bytes apart: a vector of
     * columns at byte {@code po}, 0 beyond {@code rows}.
     */
    abstract void transpose(
            float[] a, int ao, int lda, int rows, int K, MemorySegment panel, long po, long step);

    /** K rows of a as one packed panel (K,vectors·lanes) at byte {@code po}; columns beyond {@code columns} 0. */
    abstract void packRows(
            float[] a, int ao, int lda, int[] aRows, int ar, int K, int columns, MemorySegment panel, long po,
            int vectors);

    /** K rows of a as whole packed panels (K,2 vectors), {@code size} bytes apart from byte {@code to}. */
    abstract void packPanels(
            float[] a, int ao, int lda, int[] aRows, int ar, int K, int panels, MemorySegment target, long to,
            long size);

    /** K rows of whole panels of 8 columns, packed (K,8) each, and their column sums, a chain over the rows each. */
    abstract void packGradients(
            float[] a, int ao, int lda, int K, int panels, float[] packed, int po, int panelSize, float[] sums, int so);

    /** target[i] += source[i]. */
    abstract void add(float[] target, int to, float[] source, int from, int n);

    /** target[i] *= factors[i]. */
    abstract void multiplyBy(float[] target, int to, float[] factors, int n);

    /**
     * The first n dropout scales of {@link dev.gru4j.Philox#dropoutScales}; {@code scales} holds n rounded up to 2 vectors;
     * 4 words are overwritten.
     */
    abstract void dropoutScales(
            float p, long seed, long iteration, int layer, int t, int row, float[] scales, int n, int[] words);

    /** v ← σ(v); n a multiple of the lanes. */
    abstract void sigmoid(float[] v, int n);

    /** v ← tanh(v); n a multiple of the lanes. */
    abstract void tanh(float[] v, int n);

    /** v ← e^−v for v ≥ 0; n a multiple of the lanes. */
    abstract void expNegated(float[] v, int n);

    /** The largest of n ≥ 1 floats; NaN if one is NaN. */
    abstract float max(float[] v, int from, int n);

    /** out[i] = e^(v[i] − shift) for v ≤ shift; out holds n rounded up to the lanes. */
    abstract void expShifted(float[] v, int from, float shift, float[] out, int to, int n);

    /** out[i] = v[i]·factor. */
    abstract void scale(float[] v, int from, float factor, float[] out, int to, int n);

    /** velocity = momentum·velocity + unscale·gradient; parameters −= rate·velocity. */
    abstract void momentum(
            float[] parameters, int po, float[] gradient, int go, float[] velocity, int vo, int n,
            float unscale, float rate, float momentum);

    /** parameters −= rate·unscale·gradient. */
    abstract void descend(
            float[] parameters, int po, float[] gradient, int go, int n, float unscale, float rate);

    /** One Adam step of the gradient times unscale, with the bias corrections inside rate and rootScale. */
    abstract void adam(
            float[] parameters, int po, float[] gradient, int go, float[] first, int mo, float[] second, int vo, int n,
            float unscale, float beta1, float beta2, float decay, float rate, float rootScale, float epsilon);
}
