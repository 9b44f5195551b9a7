package dev.gru4j.training.model;

import dev.gru4j.GruSpec;
import dev.gru4j.backend.FloatMemory;
import dev.gru4j.backend.GruBackend;
import dev.gru4j.backend.GruCall;
import dev.gru4j.backend.GruPlan;
import dev.gru4j.backend.IntMemory;
import dev.gru4j.backend.TrainingKernels;
import dev.gru4j.training.ParameterSet;

/**
 * One step at a time for a few rows: tokens in, logits out, hidden states kept in between. Reads a
 * model's parameters where they lie.
 */
final class StepDecoder implements AutoCloseable {
    private final TrainingKernels kernels;
    private final GruSpec spec;
    private final int vocabulary;
    private final int maxRows;
    private final FloatMemory embedding;
    private final FloatMemory gruValues;
    private final FloatMemory headWeight;
    private final FloatMemory headBias;
    private final Memories memories;
    private final GruPlan plan;
    private final GruCall call;
    private final IntMemory ids;
    private final IntMemory stateRows;
    private final FloatMemory x;
    private final FloatMemory y;
    private final FloatMemory logits;
    private FloatMemory h;
    private FloatMemory hNext;

    /**
     * @param embeddingName of the table (vocabulary,I)
     * @param gruPrefix of the names of the stack's parameters
     * @param maxRows rows decoded side by side at most
     */
    StepDecoder(
            GruBackend backend,
            ParameterSet parameters,
            String embeddingName,
            String gruPrefix,
            GruSpec spec,
            int vocabulary,
            int maxRows) {
        this.kernels = backend.trainingKernels();
        this.spec = spec;
        this.vocabulary = vocabulary;
        this.maxRows = maxRows;
        this.embedding = parameters.value(embeddingName);
        this.headWeight = parameters.value(DenseHead.WEIGHT);
        this.headBias = parameters.value(DenseHead.BIAS);
        this.memories = new Memories(backend);
        try {
            this.plan = memories.plan(spec, 1, maxRows, GruPlan.Mode.INFERENCE);
            String first = gruPrefix + plan.parameters().all().getFirst().name();
            this.gruValues = parameters
                    .values()
                    .slice(parameters.tensor(first).offset(), plan.parameters().length());
            this.ids = memories.ints(maxRows);
            this.stateRows = memories.ints((long) spec.states() * maxRows);
            this.x = memories.floats((long) maxRows * spec.inputSize());
            this.y = memories.floats((long) maxRows * spec.outputSize());
            this.logits = memories.floats((long) maxRows * vocabulary);
            this.h = memories.floats((long) spec.states() * maxRows * spec.hiddenSize());
            this.hNext = memories.floats((long) spec.states() * maxRows * spec.hiddenSize());
            this.call = new GruCall().x(x).y(y).workspace(memories.floats(plan.workspaceLength()));
        } catch (RuntimeException | Error e) {
            memories.close();
            throw e;
        }
    }

    int maxRows() {
        return maxRows;
    }

    /** Takes the parameters' present values; before the first step and after every change of them. */
    void loadParameters() {
        plan.loadParameters(gruValues);
    }

    /** All states zero. */
    void reset() {
        h.fill(0);
    }

    /**
     * Row k goes on from row {@code parents[k]} of {@code states} (L,parentRows,H); this decoder's own
     * states may be given by {@link #states}.
     */
    void startFrom(FloatMemory states, int parentRows, int[] parents) {
        int rows = parents.length;
        int[] from = new int[spec.states() * rows];
        for (int layer = 0; layer < spec.states(); layer++) {
            for (int k = 0; k < rows; k++) {
                from[layer * rows + k] = layer * parentRows + parents[k];
            }
        }
        stateRows.upload(0, from, 0, from.length);
        int H = spec.hiddenSize();
        kernels.embeddingForward(stateRows, states, from.length, spec.states() * parentRows, H, hNext);
        swap();
    }

    /** The states (L,rows,H) after the last step. */
    FloatMemory states() {
        return h;
    }

    /** Reads one token per row and writes the logits (rows,vocabulary) of the next to {@code target}. */
    void step(int[] tokens, int rows, float[] target) {
        ids.upload(0, tokens, 0, rows);
        kernels.embeddingForward(ids, embedding, rows, vocabulary, spec.inputSize(), x);
        plan.forward(call.shape(1, rows).h0(h).hT(hNext));
        swap();
        kernels.denseForward(y, headWeight, headBias, rows, spec.outputSize(), vocabulary, logits);
        logits.download(0, target, 0, rows * vocabulary);
    }

    private void swap() {
        FloatMemory last = h;
        h = hNext;
        hNext = last;
    }

    @Override
    public void close() {
        memories.close();
    }
}
