package dev.gru4j.benchmarks.comparison;

/** A worker that died or does not answer; the message is what the report says of the cells it loses. */
final class WorkerLostException extends Exception {
    private static final long serialVersionUID = 1;

    WorkerLostException(String message) {
        super(message);
    }
}
