package dev.gru4j.training.data;

import java.io.IOException;

/** Data that cannot be used as it is; the message says what was found, where, and what was expected. */
public final class DataException extends IOException {
    private static final long serialVersionUID = 1;

    public DataException(String message) {
        super(message);
    }
}
