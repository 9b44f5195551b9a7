/** Training on any backend: models, batches, optimizers, checkpoints and the loop that joins them. */
module dev.gru4j.training {
    requires transitive dev.gru4j;
    requires static org.jspecify;

    exports dev.gru4j.training;
    exports dev.gru4j.training.data;
    exports dev.gru4j.training.model;
}
