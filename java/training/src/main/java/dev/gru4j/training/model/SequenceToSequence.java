package dev.gru4j.training.model;

import dev.gru4j.backend.FloatMemory;
import dev.gru4j.backend.GruBackend;
import dev.gru4j.backend.IntMemory;
import dev.gru4j.backend.TrainingKernels;
import dev.gru4j.training.ParameterSet;
import dev.gru4j.training.TrainableModel;
import dev.gru4j.training.data.BatchSource;
import dev.gru4j.training.data.PairBatch;
import dev.gru4j.training.data.TokenBatch;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Turns one sequence into another: a GRU encoder reads the source, a GRU decoder starts from its last
 * states and says the target, in training always fed the true token before (teacher forcing).
 */
public final class SequenceToSequence implements TrainableModel<PairBatch> {
    private static final String SOURCE_EMBEDDING = "source_embedding.weight";
    private static final String TARGET_EMBEDDING = "target_embedding.weight";
    private static final String ENCODER = "encoder.";
    private static final String DECODER = "decoder.";

    private final GruBackend backend;
    private final SequenceToSequenceSpec spec;
    private final int maxB;
    private final TrainingKernels kernels;
    private final Memories memories;
    private final ParameterSet parameters;
    private final Embedding sourceEmbedding;
    private final Embedding targetEmbedding;
    private final GruStack encoder;
    private final GruStack decoder;
    private final StateBridge bridge;
    private final DenseHead head;
    private final IntMemory targets;
    private final FloatMemory loss;
    private final FloatMemory dh0;

    /**
     * Allocates everything training needs; parameters are zero until {@link #initialize} or a file gives
     * them values.
     *
     * @param maxSourceT longest source, in tokens
     * @param maxTargetT longest target, in tokens, the boundary included
     * @param maxB largest batch, in rows
     */
    public SequenceToSequence(
            GruBackend backend, SequenceToSequenceSpec spec, int maxSourceT, int maxTargetT, int maxB) {
        this.backend = backend;
        this.spec = spec;
        this.maxB = maxB;
        this.kernels = backend.trainingKernels();
        this.memories = new Memories(backend);
        try {
            int width = spec.embeddingSize();
            ParameterSet.Layout layout = new ParameterSet.Layout()
                    .weight(SOURCE_EMBEDDING, 1, spec.sourceVocabulary(), width)
                    .gru(ENCODER, spec.encoder())
                    .weight(TARGET_EMBEDDING, 1, spec.targetVocabulary(), width)
                    .gru(DECODER, spec.decoder());
            DenseHead.layout(layout, spec.hiddenSize(), spec.targetVocabulary());
            this.parameters = memories.keep(new ParameterSet(backend, layout));
            long sourceRows = (long) maxSourceT * maxB;
            long targetRows = (long) maxTargetT * maxB;
            this.sourceEmbedding = new Embedding(
                    memories, parameters, SOURCE_EMBEDDING, spec.sourceVocabulary(), width, sourceRows);
            this.encoder = new GruStack(memories, parameters, ENCODER, spec.encoder(), maxSourceT, maxB, false, true);
            this.bridge = new StateBridge(memories, spec, maxB);
            this.targetEmbedding = new Embedding(
                    memories, parameters, TARGET_EMBEDDING, spec.targetVocabulary(), width, targetRows);
            this.decoder = new GruStack(memories, parameters, DECODER, spec.decoder(), maxTargetT, maxB, true, true);
            this.head = new DenseHead(memories, parameters, spec.hiddenSize(), spec.targetVocabulary(), targetRows);
            this.targets = memories.ints(targetRows);
            this.loss = memories.floats(1);
            this.dh0 = memories.floats(decoder.statesLength(maxB));
        } catch (RuntimeException | Error e) {
            memories.close();
            throw e;
        }
    }

    public SequenceToSequenceSpec spec() {
        return spec;
    }

    /** One line for people: which kernels the decoder runs on and why. */
    public String description() {
        return decoder.description();
    }

    @Override
    public ParameterSet parameters() {
        return parameters;
    }

    @Override
    public void lossAndGradient(
            PairBatch batch, long step, long seed, FloatMemory lossOfBatch, @Nullable FloatMemory lossScale) {
        int n = forward(GruStack.Run.TRAINING, batch, step, seed);
        TokenBatch target = batch.target();
        kernels.softmaxCrossEntropy(
                head.outputs(), targets, n, spec.targetVocabulary(), 1f / n, lossOfBatch, head.outputs(), lossScale);
        head.backward(decoder.y(), decoder.dy());
        decoder.backward(null, dh0);
        targetEmbedding.backward(target.T() * target.B(), decoder.dx());
        encoder.backward(bridge.backward(dh0, batch.B()), null);
        sourceEmbedding.backward(batch.source().T() * batch.B(), encoder.dx());
    }

    /** Logits at all targets; their number. */
    private int forward(GruStack.Run run, PairBatch batch, long step, long seed) {
        TokenBatch target = batch.target();
        int n = target.targets().length;
        if (n == 0 || batch.source().B() != target.B()) {
            throw new IllegalArgumentException("the batch has " + n + " targets, " + batch.source().B()
                    + " source rows and " + target.B() + " target rows; targets, and as many rows, expected");
        }
        FloatMemory h0 = encode(run, batch.source(), step, seed);
        int rows = target.T() * target.B();
        targetEmbedding.forward(target.ids(), rows, decoder.x());
        targets.upload(0, target.targets(), 0, n);
        // The masks of encoder and decoder must differ: the decoder's come from the seed's complement.
        decoder.forward(run, target.T(), target.B(), target.lengths(), h0, null, ~seed, step);
        head.forward(decoder.y(), rows, target.positions(), n);
        return n;
    }

    /** The decoder's first states (L,B,H). */
    private FloatMemory encode(GruStack.Run run, PairBatch.Side source, long step, long seed) {
        sourceEmbedding.forward(source.ids(), source.T() * source.B(), encoder.x());
        encoder.forward(run, source.T(), source.B(), source.lengths(), null, bridge.hT(), seed, step);
        return bridge.forward(source.B());
    }

    @Override
    public FloatMemory loss() {
        return loss;
    }

    @Override
    public void parametersChanged() {
        encoder.parametersChanged();
        decoder.parametersChanged();
    }

    @Override
    public long flops(PairBatch batch) {
        long sourceSteps = 0;
        for (int id : batch.source().ids()) {
            sourceSteps += id == TrainingKernels.NONE ? 0 : 1;
        }
        long headFlops = 3 * 2L * spec.hiddenSize() * spec.targetVocabulary(); // forward, dWeight, dx
        return encoder.flops(sourceSteps)
                + decoder.flops(batch.targetCount())
                + headFlops * batch.targetCount();
    }

    /** Empty: every pair starts anew. */
    @Override
    public Map<String, FloatMemory> carriedState() {
        return Map.of();
    }

    @Override
    public Map<String, String> configuration() {
        return spec.configuration();
    }

    /** Mean cross-entropy over the first epoch of a source, without dropout. */
    public Evaluation evaluate(BatchSource<PairBatch> source) {
        double nats = 0;
        long count = 0;
        float[] sum = new float[1];
        for (long k = 0; k < source.batchesPerEpoch(); k++) {
            int n = forward(GruStack.Run.INFERENCE, source.batch(k), 0, 0);
            kernels.softmaxCrossEntropy(head.outputs(), targets, n, spec.targetVocabulary(), 1, loss, null);
            loss.download(0, sum, 0, 1);
            nats += sum[0];
            count += n;
        }
        return new Evaluation(nats, count);
    }

    /**
     * The target of each source, by beam search over the sum of log probabilities divided by the number of
     * tokens, the boundary included.
     *
     * @param sources tokens of each, none empty, at most {@code maxSourceT} long
     * @param boundary the token that starts and ends a target; not part of the results
     * @param maxLength tokens of a result at most
     * @param beamWidth candidates kept per source, 1 … maxB; 1: always the likeliest token (greedy)
     */
    public List<int[]> translate(List<int[]> sources, int boundary, int maxLength, int beamWidth) {
        if (beamWidth < 1 || beamWidth > maxB) {
            throw new IllegalArgumentException(
                    "beamWidth is " + beamWidth + "; 1 to maxB = " + maxB + " of this model expected");
        }
        for (int k = 0; k < sources.size(); k++) {
            if (sources.get(k).length == 0) {
                throw new IllegalArgumentException("source " + k + " is empty; at least one token expected");
            }
        }
        List<int[]> results = new ArrayList<>(sources.size());
        int group = maxB / beamWidth;
        try (StepDecoder steps = new StepDecoder(
                backend,
                parameters,
                TARGET_EMBEDDING,
                DECODER,
                spec.decoder(),
                spec.targetVocabulary(),
                Math.min(group, Math.max(1, sources.size())) * beamWidth)) {
            steps.loadParameters();
            BeamSearch search = new BeamSearch(steps, spec.targetVocabulary(), boundary, maxLength, beamWidth);
            for (int from = 0; from < sources.size(); from += group) {
                PairBatch.Side side =
                        PairBatch.Side.of(sources.subList(from, Math.min(from + group, sources.size())));
                FloatMemory h0 = encode(GruStack.Run.INFERENCE, side, 0, 0);
                results.addAll(search.decode(h0, side.B()));
            }
        }
        return results;
    }

    @Override
    public void close() {
        memories.close();
    }
}
