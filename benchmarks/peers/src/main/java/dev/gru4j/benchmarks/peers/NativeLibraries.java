package dev.gru4j.benchmarks.peers;

/** Why a native library did not load, in one line. */
public final class NativeLibraries {
    private NativeLibraries() {}

    /** The innermost reason: the loader's own sentence instead of a stack of wrappers. */
    public static String reason(Throwable failure) {
        Throwable innermost = failure;
        while (innermost.getCause() != null) {
            innermost = innermost.getCause();
        }
        String message = innermost.getMessage();
        return message == null ? innermost.getClass().getSimpleName() : message.lines().findFirst().orElse(message);
    }
}
