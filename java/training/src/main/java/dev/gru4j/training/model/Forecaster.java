package dev.gru4j.training.model;

import dev.gru4j.backend.FloatMemory;
import dev.gru4j.backend.GruBackend;
import dev.gru4j.training.ParameterSet;
import dev.gru4j.training.TrainableModel;
import dev.gru4j.training.data.SeriesBatch;
import java.util.Map;

/** Predicts numbers from sequences of numbers: GRU → dense head, squared error. */
@SuppressWarnings({"DoNotCallSuggester", "unused"})
public final class Forecaster implements TrainableModel<SeriesBatch> {
    /**
     * Allocates everything training needs; parameters are zero until {@link #initialize} or a file gives
     * them values.
     *
     * @param maxT longest batch, in steps
     * @param maxB largest batch, in rows
     */
    public Forecaster(GruBackend backend, ForecasterSpec spec, int maxT, int maxB) {
        throw new UnsupportedOperationException();
    }

    public ForecasterSpec spec() {
        throw new UnsupportedOperationException();
    }

    @Override
    public ParameterSet parameters() {
        throw new UnsupportedOperationException();
    }

    @Override
    public void lossAndGradient(SeriesBatch batch, long step, long seed) {
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
    public long flops(SeriesBatch batch) {
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

    /** The predictions (n,outputs) at the positions of a batch, without dropout; its targets are not read. */
    public float[] predict(SeriesBatch batch) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void close() {
        throw new UnsupportedOperationException();
    }
}
