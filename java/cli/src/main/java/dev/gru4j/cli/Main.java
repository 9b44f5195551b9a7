package dev.gru4j.cli;

import java.io.PrintStream;
import java.io.PrintWriter;
import java.util.logging.Level;
import java.util.logging.Logger;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/** Entry of the command line. */
@Command(
        name = "gru4j",
        description = "Trains and runs GRUs (gated recurrent units) on this machine.",
        mixinStandardHelpOptions = true,
        scope = ScopeType.INHERIT,
        versionProvider = Version.class,
        usageHelpAutoWidth = true,
        footer = {
            "",
            "The launcher ./gru4j adds: test (everything that must pass), bench (speed, against other libraries),",
            "format, mvn ..., java ...;",
            "-Dname=value anywhere on its line reaches the JVM."
        })
public final class Main implements Runnable {
    /** Held here, since java.util.logging forgets the level of a logger that no one refers to. */
    private static final Logger LIBRARY_LOG = Logger.getLogger("dev.gru4j");

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Option(
            names = "--debug",
            description = "Show stack traces and what the library logs.",
            scope = ScopeType.INHERIT)
    private boolean debug;

    private Main() {}

    /** Runs one command and ends the process with its exit status. */
    public static void main(String[] arguments) {
        System.setProperty("java.awt.headless", "true"); // charts go to files, on servers too
        System.exit(run(Terminal.ofProcess(), arguments));
    }

    /** Runs one command and returns its exit status. */
    static int run(Terminal terminal, String... arguments) {
        Main main = new Main();
        CommandLine commandLine = new CommandLine(main)
                .addSubcommand(new TrainCommand(terminal))
                .addSubcommand(new SampleCommand(terminal))
                .addSubcommand(new TranslateCommand(terminal))
                .addSubcommand(new ForecastCommand(terminal))
                .addSubcommand(new BackendsCommand(terminal))
                .addSubcommand(new PlanCommand(terminal))
                .setOut(writer(terminal.out()))
                .setErr(writer(terminal.err()))
                .setExecutionStrategy(parsed -> {
                    main.setLogLevel();
                    return new CommandLine.RunLast().execute(parsed);
                });
        Failures failures = new Failures(terminal, () -> main.debug);
        commandLine.setParameterExceptionHandler(failures).setExecutionExceptionHandler(failures);
        try {
            return commandLine.execute(arguments);
        } catch (Error e) { // picocli hands exceptions over, errors such as OutOfMemoryError it does not
            return failures.report(e);
        }
    }

    /** Without a command there is nothing to do. */
    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "a command is missing: train, sample, translate, forecast,"
                + " backends or plan");
    }

    /** Commands say themselves what a user needs to know of what the library logs. */
    private void setLogLevel() {
        LIBRARY_LOG.setLevel(debug ? Level.ALL : Level.WARNING);
    }

    private static PrintWriter writer(PrintStream stream) {
        return new PrintWriter(stream, true, stream.charset());
    }
}
