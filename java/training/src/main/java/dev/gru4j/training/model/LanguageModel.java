package dev.gru4j.training.model;

import dev.gru4j.backend.FloatMemory;
import dev.gru4j.backend.GruBackend;
import dev.gru4j.backend.IntMemory;
import dev.gru4j.backend.TrainingKernels;
import dev.gru4j.training.ParameterSet;
import dev.gru4j.training.TrainableModel;
import dev.gru4j.training.data.BatchSource;
import dev.gru4j.training.data.TokenBatch;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Predicts the next token of a sequence: embedding → GRU → dense head → softmax. */
public final class LanguageModel implements TrainableModel<TokenBatch> {
    private static final String EMBEDDING = "embedding.weight";
    private static final String GRU = "gru.";

    private final GruBackend backend;
    private final LanguageModelSpec spec;
    private final TrainingKernels kernels;
    private final Memories memories;
    private final ParameterSet parameters;
    private final Embedding embedding;
    private final GruStack gru;
    private final DenseHead head;
    private final IntMemory targets;
    private final FloatMemory loss;

    /** Two states that take turns: one batch's hT is the next one's h0. */
    private final States trainingStates;

    private final States evaluationStates;

    /** The state carried from batch to batch. */
    private static final class States {
        FloatMemory carried;
        FloatMemory next;

        /** Rows of the batch before; 0: none, or unknown after a checkpoint was read. */
        int rows;

        States(Memories memories, long length) {
            this.carried = memories.floats(length);
            this.next = memories.floats(length);
        }

        /** h0 of a batch: the state carried, or none. */
        @Nullable
        FloatMemory initial(TokenBatch batch) {
            if (!batch.carried()) {
                return null;
            }
            if (rows != 0 && rows != batch.B()) {
                throw new IllegalArgumentException("a batch of B = " + batch.B()
                        + " rows cannot go on from one of B = " + rows + "; the same B expected");
            }
            return carried;
        }

        void advance(TokenBatch batch) {
            FloatMemory last = carried;
            carried = next;
            next = last;
            rows = batch.B();
        }
    }

    /**
     * Allocates everything training needs; parameters are zero until {@link #initialize} or a file gives
     * them values.
     *
     * @param maxT longest batch, in steps
     * @param maxB largest batch, in rows
     */
    public LanguageModel(GruBackend backend, LanguageModelSpec spec, int maxT, int maxB) {
        this.backend = backend;
        this.spec = spec;
        this.kernels = backend.trainingKernels();
        this.memories = new Memories(backend);
        try {
            int vocabulary = spec.vocabulary();
            int hidden = spec.gru().hiddenSize();
            ParameterSet.Layout layout = new ParameterSet.Layout()
                    .weight(EMBEDDING, 1, vocabulary, spec.gru().inputSize())
                    .gru(GRU, spec.gru());
            DenseHead.layout(layout, hidden, vocabulary);
            this.parameters = memories.keep(new ParameterSet(backend, layout));
            long rows = (long) maxT * maxB;
            this.embedding = new Embedding(
                    memories, parameters, EMBEDDING, vocabulary, spec.gru().inputSize(), rows);
            this.gru = new GruStack(memories, parameters, GRU, spec.gru(), maxT, maxB, true, true);
            this.head = new DenseHead(memories, parameters, hidden, vocabulary, rows);
            this.targets = memories.ints(rows);
            this.loss = memories.floats(1);
            this.trainingStates = new States(memories, gru.statesLength(maxB));
            this.evaluationStates = new States(memories, gru.statesLength(maxB));
        } catch (RuntimeException | Error e) {
            memories.close();
            throw e;
        }
    }

    public LanguageModelSpec spec() {
        return spec;
    }

    /** One line for people: which kernels the GRU runs on and why. */
    public String description() {
        return gru.description();
    }

    @Override
    public ParameterSet parameters() {
        return parameters;
    }

    @Override
    public void lossAndGradient(
            TokenBatch batch, long step, long seed, FloatMemory lossOfBatch, @Nullable FloatMemory lossScale) {
        int n = forward(GruStack.Run.TRAINING, trainingStates, batch, step, seed);
        kernels.softmaxCrossEntropy(
                head.outputs(), targets, n, spec.vocabulary(), 1f / n, lossOfBatch, head.outputs(), lossScale);
        head.backward(gru.y(), gru.dy());
        gru.backward(null, null); // truncated: nothing flows into the state carried over
        embedding.backward(batch.T() * batch.B(), gru.dx());
    }

    /** Logits at all targets; their number. */
    private int forward(GruStack.Run run, States states, TokenBatch batch, long step, long seed) {
        int n = batch.targets().length;
        if (n == 0) {
            throw new IllegalArgumentException("the batch has no targets; at least 1 expected");
        }
        int rows = batch.T() * batch.B();
        FloatMemory h0 = states.initial(batch);
        embedding.forward(batch.ids(), rows, gru.x());
        targets.upload(0, batch.targets(), 0, n);
        gru.forward(run, batch.T(), batch.B(), batch.lengths(), h0, states.next, seed, step);
        states.advance(batch);
        head.forward(gru.y(), rows, batch.positions(), n);
        return n;
    }

    @Override
    public FloatMemory loss() {
        return loss;
    }

    @Override
    public void parametersChanged() {
        gru.parametersChanged();
    }

    @Override
    public long flops(TokenBatch batch) {
        long headFlops = 3 * 2L * spec.gru().hiddenSize() * spec.vocabulary(); // forward, dWeight, dx
        return gru.flops(batch.targetCount()) + headFlops * batch.targetCount();
    }

    @Override
    public Map<String, FloatMemory> carriedState() {
        return Map.of("hidden", trainingStates.carried);
    }

    @Override
    public Map<String, String> configuration() {
        return spec.configuration();
    }

    /**
     * Cross-entropy over the first epoch of a source, without dropout. Parameters and carried state of
     * training stay as they are.
     */
    public Evaluation evaluate(BatchSource<TokenBatch> source) {
        double nats = 0;
        long count = 0;
        float[] sum = new float[1];
        for (long k = 0; k < source.batchesPerEpoch(); k++) {
            TokenBatch batch = source.batch(k);
            int n = forward(GruStack.Run.INFERENCE, evaluationStates, batch, 0, 0);
            kernels.softmaxCrossEntropy(head.outputs(), targets, n, spec.vocabulary(), 1, loss, null);
            loss.download(0, sum, 0, 1);
            nats += sum[0];
            count += n;
        }
        return new Evaluation(nats, count);
    }

    /** A sampler that reads this model's parameters; close it before the model. */
    public TextSampler sampler() {
        return new TextSampler(
                new StepDecoder(backend, parameters, EMBEDDING, GRU, spec.gru(), spec.vocabulary(), 1),
                spec.vocabulary());
    }

    @Override
    public void close() {
        memories.close();
    }
}
