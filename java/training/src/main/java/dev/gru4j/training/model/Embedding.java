package dev.gru4j.training.model;

import dev.gru4j.backend.FloatMemory;
import dev.gru4j.backend.IntMemory;
import dev.gru4j.backend.TrainingKernels;
import dev.gru4j.training.ParameterSet;

/** Token ids to vectors: row {@code id} of a table (vocabulary,width). */
final class Embedding {
    private final TrainingKernels kernels;
    private final FloatMemory table;
    private final FloatMemory dTable;
    private final IntMemory ids;
    private final int vocabulary;
    private final int width;

    /**
     * @param name of the table in the parameters
     * @param maxRows ids of one call at most
     */
    Embedding(Memories memories, ParameterSet parameters, String name, int vocabulary, int width, long maxRows) {
        this.kernels = memories.backend().trainingKernels();
        this.table = parameters.value(name);
        this.dTable = parameters.gradient(name);
        this.vocabulary = vocabulary;
        this.width = width;
        this.ids = memories.ints(maxRows);
    }

    /** Uploads the ids (n) and writes their vectors to {@code x} (n,width), zero for no token. */
    void forward(int[] tokens, int n, FloatMemory x) {
        ids.upload(0, tokens, 0, n);
        kernels.embeddingForward(ids, table, n, vocabulary, width, x);
    }

    /** Overwrites the table's gradient with that of the last forward, {@code dx} (n,width). */
    void backward(int n, FloatMemory dx) {
        kernels.embeddingBackward(ids, dx, n, vocabulary, width, dTable, false);
    }
}
