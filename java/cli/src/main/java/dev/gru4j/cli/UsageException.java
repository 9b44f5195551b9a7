package dev.gru4j.cli;

/** Arguments that make no sense; ends the process with exit status 2. */
final class UsageException extends RuntimeException {
    private static final long serialVersionUID = 1;

    UsageException(String message) {
        super(message);
    }
}
