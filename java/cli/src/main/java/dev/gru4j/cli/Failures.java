package dev.gru4j.cli;

import dev.gru4j.io.WeightFileException;
import dev.gru4j.training.CheckpointException;
import dev.gru4j.training.TrainingException;
import dev.gru4j.training.data.DataException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.util.concurrent.CompletionException;
import java.util.function.BooleanSupplier;
import picocli.CommandLine;
import picocli.CommandLine.IExecutionExceptionHandler;
import picocli.CommandLine.IParameterExceptionHandler;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;

/** The one place where a failure becomes a message and an exit status. A stack trace only with {@code --debug}. */
final class Failures implements IExecutionExceptionHandler, IParameterExceptionHandler {
    static final int FAILURE = 1;
    static final int USAGE = 2;

    private final Terminal terminal;
    private final BooleanSupplier debug;

    Failures(Terminal terminal, BooleanSupplier debug) {
        this.terminal = terminal;
        this.debug = debug;
    }

    @Override
    public int handleParseException(ParameterException e, String[] arguments) {
        return usage(e, e.getCommandLine());
    }

    @Override
    public int handleExecutionException(Exception e, CommandLine commandLine, ParseResult parsed) {
        return e instanceof UsageException ? usage(e, commandLine) : report(e);
    }

    int report(Throwable e) {
        terminal.remark("gru4j: %s", message(e));
        trace(e);
        return FAILURE;
    }

    private int usage(Exception e, CommandLine commandLine) {
        terminal.remark("gru4j: %s", e.getMessage());
        terminal.remark("Try '%s --help'.", commandLine.getCommandSpec().qualifiedName());
        trace(e);
        return USAGE;
    }

    private void trace(Throwable e) {
        if (debug.getAsBoolean()) {
            e.printStackTrace(terminal.err());
        }
    }

    private static String message(Throwable e) {
        return switch (e) {
            case DataException known -> text(known);
            case CheckpointException known -> text(known);
            case WeightFileException known -> text(known);
            case TrainingException known -> text(known);
            // The library's own words for arguments and states that it refuses.
            case IllegalArgumentException known -> text(known);
            case IllegalStateException known -> text(known);
            case CompletionException wrapped when wrapped.getCause() != null -> message(wrapped.getCause());
            case UncheckedIOException wrapped when wrapped.getCause() != null -> message(wrapped.getCause());
            case NoSuchFileException missing -> missing.getFile() + " does not exist";
            case NotDirectoryException file -> file.getFile() + " is not a folder";
            case FileAlreadyExistsException other -> other.getFile() + " exists and is not a folder";
            case AccessDeniedException denied -> denied.getFile() + ": access denied";
            case FileSystemException failed -> failed.getFile() + ": " + failed.getReason();
            case IOException failed -> text(failed);
            case OutOfMemoryError error -> "out of memory (" + error.getMessage()
                    + "); a smaller --batch or --hidden needs less, java -Xmx gives more";
            default -> "internal error: " + e + "; --debug shows where";
        };
    }

    private static String text(Throwable e) {
        return e.getMessage() == null ? e.toString() : e.getMessage();
    }
}
