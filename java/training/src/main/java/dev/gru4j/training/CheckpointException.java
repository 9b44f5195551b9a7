package dev.gru4j.training;

import java.io.IOException;

/** A checkpoint or weight file that is missing, damaged or belongs to another run; the message says which and why. */
public final class CheckpointException extends IOException {
    private static final long serialVersionUID = 1;

    public CheckpointException(String message) {
        super(message);
    }

    public CheckpointException(String message, Throwable cause) {
        super(message, cause);
    }
}
