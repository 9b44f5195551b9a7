package dev.gru4j.training.model;

import dev.gru4j.backend.FloatMemory;
import dev.gru4j.backend.GruBackend;
import dev.gru4j.training.ParameterSet;
import dev.gru4j.training.TrainableModel;
import dev.gru4j.training.data.BatchSource;
import dev.gru4j.training.data.TokenBatch;
import java.util.Map;

/** Predicts the next token of a sequence: embedding → GRU → dense head → softmax. */
@SuppressWarnings({"DoNotCallSuggester", "unused"})
public final class LanguageModel implements TrainableModel<TokenBatch> {
    /**
     * Allocates everything training needs; parameters are zero until {@link #initialize} or a file gives
     * them values.
     *
     * @param maxT longest batch, in steps
     * @param maxB largest batch, in rows
     */
    public LanguageModel(GruBackend backend, LanguageModelSpec spec, int maxT, int maxB) {
        throw new UnsupportedOperationException();
    }

    public LanguageModelSpec spec() {
        throw new UnsupportedOperationException();
    }

    @Override
    public ParameterSet parameters() {
        throw new UnsupportedOperationException();
    }

    @Override
    public void lossAndGradient(TokenBatch batch, long step, long seed) {
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
    public long flops(TokenBatch batch) {
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

    /**
     * Cross-entropy over the first epoch of a source, without dropout. Parameters and carried state of
     * training stay as they are.
     */
    public Evaluation evaluate(BatchSource<TokenBatch> source) {
        throw new UnsupportedOperationException();
    }

    /** A sampler that reads this model's parameters; close it before the model. */
    public TextSampler sampler() {
        throw new UnsupportedOperationException();
    }

    @Override
    public void close() {
        throw new UnsupportedOperationException();
    }
}
