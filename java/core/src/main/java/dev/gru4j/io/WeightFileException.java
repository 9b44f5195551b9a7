package dev.gru4j.io;

import java.io.IOException;

/** A weight file that breaks its format's rules or does not fit the model; the message says which and where. */
public final class WeightFileException extends IOException {
    private static final long serialVersionUID = 1;

    public WeightFileException(String message) {
        super(message);
    }
}
