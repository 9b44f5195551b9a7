package dev.gru4j.backend;

import org.jspecify.annotations.Nullable;

/**
 * The arguments of {@link GruPlan#forward} and {@link GruPlan#backward}: one object, set up once and
 * reused, so that a call allocates nothing. Setters return this; setting {@code null} means absent.
 *
 * <p>All tensors are row-major with the rightmost index fastest and start at the first float of
 * their memory; a memory may be longer than the tensor. Outputs must not overlap inputs or each
 * other. Padded positions (t at or beyond a row's length) of x and dy may hold anything.
 *
 * <p>Backward takes the very arguments its forward took, with x, h0, lengths, dropout and reserve
 * unchanged.
 */
public final class GruCall {
    private int steps;
    private int batch;
    private @Nullable FloatMemory x;
    private @Nullable FloatMemory h0;
    private int @Nullable [] lengths;
    private @Nullable FloatMemory y;
    private @Nullable FloatMemory hT;
    private @Nullable FloatMemory workspace;
    private @Nullable FloatMemory reserve;
    private long dropoutSeed;
    private long dropoutIteration;
    private @Nullable FloatMemory dy;
    private @Nullable FloatMemory dhT;
    private @Nullable FloatMemory dx;
    private @Nullable FloatMemory dh0;
    private @Nullable FloatMemory dParameters;
    private boolean accumulate;

    /** T and B of this call, at most the plan's. T = 0 is allowed: hT = h0. */
    public GruCall shape(int T, int B) {
        this.steps = T;
        this.batch = B;
        return this;
    }

    /** Input (T,B,I). */
    public GruCall x(FloatMemory memory) {
        this.x = memory;
        return this;
    }

    /** Initial states (L·D,B,H); absent: zero. */
    public GruCall h0(@Nullable FloatMemory memory) {
        this.h0 = memory;
        return this;
    }

    /** Valid steps of each row, (B), each 0 … T; absent: all T. Read during the call, not kept. */
    public GruCall lengths(int @Nullable [] perRow) {
        this.lengths = perRow;
        return this;
    }

    /** Receives the states of the last layer (T,B,D·H), 0 in padding; absent: not wanted. */
    public GruCall y(@Nullable FloatMemory memory) {
        this.y = memory;
        return this;
    }

    /** Receives the state after each row's last valid step (L·D,B,H); absent: not wanted. */
    public GruCall hT(@Nullable FloatMemory memory) {
        this.hT = memory;
        return this;
    }

    /** At least {@link GruPlan#workspaceLength} floats, meaningless after the call; one per thread. */
    public GruCall workspace(FloatMemory memory) {
        this.workspace = memory;
        return this;
    }

    /** At least {@link GruPlan#reserveLength} floats: written by a training forward, read by backward. */
    public GruCall reserve(@Nullable FloatMemory memory) {
        this.reserve = memory;
        return this;
    }

    /** Key and iteration of the dropout masks ({@link dev.gru4j.Philox}); used by a training plan only. */
    public GruCall dropout(long seed, long iteration) {
        this.dropoutSeed = seed;
        this.dropoutIteration = iteration;
        return this;
    }

    /** Gradient arriving at y (T,B,D·H); absent: zero. */
    public GruCall dy(@Nullable FloatMemory memory) {
        this.dy = memory;
        return this;
    }

    /** Gradient arriving at hT (L·D,B,H); absent: zero. */
    public GruCall dhT(@Nullable FloatMemory memory) {
        this.dhT = memory;
        return this;
    }

    /** Receives the gradient of x (T,B,I), 0 in padding; absent: not wanted. */
    public GruCall dx(@Nullable FloatMemory memory) {
        this.dx = memory;
        return this;
    }

    /** Receives the gradient of h0 (L·D,B,H); absent: not wanted. */
    public GruCall dh0(@Nullable FloatMemory memory) {
        this.dh0 = memory;
        return this;
    }

    /** Receives the gradients of all parameters, {@link dev.gru4j.GruParameters} layout; absent: not wanted. */
    public GruCall dParameters(@Nullable FloatMemory memory) {
        this.dParameters = memory;
        return this;
    }

    /** Whether {@link #dParameters(FloatMemory)} is added to (true) or overwritten (false, the default). */
    public GruCall accumulate(boolean add) {
        this.accumulate = add;
        return this;
    }

    public int T() {
        return steps;
    }

    public int B() {
        return batch;
    }

    public @Nullable FloatMemory x() {
        return x;
    }

    public @Nullable FloatMemory h0() {
        return h0;
    }

    public int @Nullable [] lengths() {
        return lengths;
    }

    /** Valid steps of row {@code b}. */
    public int length(int b) {
        int[] perRow = lengths;
        return perRow == null ? steps : perRow[b];
    }

    public @Nullable FloatMemory y() {
        return y;
    }

    public @Nullable FloatMemory hT() {
        return hT;
    }

    public @Nullable FloatMemory workspace() {
        return workspace;
    }

    public @Nullable FloatMemory reserve() {
        return reserve;
    }

    public long dropoutSeed() {
        return dropoutSeed;
    }

    public long dropoutIteration() {
        return dropoutIteration;
    }

    public @Nullable FloatMemory dy() {
        return dy;
    }

    public @Nullable FloatMemory dhT() {
        return dhT;
    }

    public @Nullable FloatMemory dx() {
        return dx;
    }

    public @Nullable FloatMemory dh0() {
        return dh0;
    }

    public @Nullable FloatMemory dParameters() {
        return dParameters;
    }

    public boolean accumulate() {
        return accumulate;
    }
}
