package dev.gru4j.training.model;

import dev.gru4j.backend.FloatMemory;
import dev.gru4j.backend.GruBackend;
import dev.gru4j.training.ParameterSet;
import dev.gru4j.training.TrainableModel;
import dev.gru4j.training.data.BatchSource;
import dev.gru4j.training.data.PairBatch;
import java.util.List;
import java.util.Map;

/**
 * Turns one sequence into another: a GRU encoder reads the source, a GRU decoder starts from its last
 * states and says the target, in training always fed the true token before (teacher forcing).
 */
@SuppressWarnings({"DoNotCallSuggester", "unused"})
public final class SequenceToSequence implements TrainableModel<PairBatch> {
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
        throw new UnsupportedOperationException();
    }

    public SequenceToSequenceSpec spec() {
        throw new UnsupportedOperationException();
    }

    @Override
    public ParameterSet parameters() {
        throw new UnsupportedOperationException();
    }

    @Override
    public void lossAndGradient(PairBatch batch, long step, long seed) {
        throw new UnsupportedOperationException();
    }

    @Override
    public FloatMemory loss() {
        throw new UnsupportedOperationException();
    }

    @Override
    public void parametersChanged() {
        throw new UnsupportedOperationException();
    }

    @Override
    public long flops(PairBatch batch) {
        throw new UnsupportedOperationException();
    }

    @Override
    public Map<String, FloatMemory> carriedState() {
        throw new UnsupportedOperationException();
    }

    @Override
    public Map<String, String> configuration() {
        throw new UnsupportedOperationException();
    }

    /** Mean cross-entropy over the first epoch of a source, without dropout. */
    public Evaluation evaluate(BatchSource<PairBatch> source) {
        throw new UnsupportedOperationException();
    }

    /**
     * The target of each source, by beam search over the sum of log probabilities divided by the number of
     * tokens.
     *
     * @param sources tokens of each, none empty, at most {@code maxSourceT} long
     * @param boundary the token that starts and ends a target; not part of the results
     * @param maxLength tokens of a result at most
     * @param beamWidth candidates kept per source, 1 … maxB; 1: always the likeliest token (greedy)
     */
    public List<int[]> translate(List<int[]> sources, int boundary, int maxLength, int beamWidth) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void close() {
        throw new UnsupportedOperationException();
    }
}
