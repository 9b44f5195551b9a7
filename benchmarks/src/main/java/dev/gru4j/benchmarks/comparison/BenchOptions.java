package dev.gru4j.benchmarks.comparison;

import dev.gru4j.GruShape;
import dev.gru4j.GruVariant;
import dev.gru4j.backend.ProductPrecision;
import dev.gru4j.benchmarks.Shape;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What to measure: the options that make {@link Cell}s. */
final class BenchOptions {
    @Option(
            names = "--shapes",
            paramLabel = "FILE|T,B,I,H",
            arity = "1..*",
            description = "Shapes, or files of them, or names of files in benchmarks/shapes. Default: cpu,"
                    + " with --compare crossover.")
    private @Nullable List<String> shapes;

    @Option(
            names = "--mode",
            split = ",",
            paramLabel = "MODE",
            description = "inference, training. Default: both.")
    private List<String> modes = List.of("inference", "training");

    @Option(
            names = "--variant",
            split = ",",
            paramLabel = "VARIANT",
            description = "reset-after, reset-before. Default: both.")
    private List<String> variants = List.of("reset-after", "reset-before");

    @Option(
            names = "--threads",
            split = ",",
            paramLabel = "N",
            description = "Threads of a call, several with commas between. Default: 1 and one for each processor.")
    private @Nullable List<String> threads;

    @Option(
            names = "--precision",
            paramLabel = "NAME",
            description = "Of matrix products: fp32, tf32, 3xtf32, bf16, fp16. Default: ${DEFAULT-VALUE}.")
    private String precision = ProductPrecision.FP32.toString();

    /**
     * The cells, shape by shape.
     *
     * @param folder of shape files
     * @throws IllegalArgumentException naming what was found and what was expected
     */
    List<Cell> cells(Path folder, boolean comparesDevices) throws IOException {
        List<Mode> known = modes.stream().map(Mode::of).distinct().toList();
        List<GruVariant> forms = variants.stream().map(BenchOptions::variant).distinct().toList();
        ProductPrecision of = ProductPrecision.of(precision);
        List<Cell> cells = new ArrayList<>();
        for (GruShape shape : shapes(folder, comparesDevices ? "crossover" : "cpu")) {
            for (Mode mode : known) {
                for (GruVariant variant : forms) {
                    for (int count : threads(comparesDevices)) {
                        cells.add(new Cell(shape, variant, mode, count, of));
                    }
                }
            }
        }
        return cells;
    }

    private List<GruShape> shapes(Path folder, String standard) throws IOException {
        List<GruShape> result = new ArrayList<>();
        for (String text : shapes == null ? List.of(standard) : shapes) {
            if (text.matches("[\\d,x]+")) {
                result.add(Shape.parse(text));
                continue;
            }
            Path given = Path.of(text);
            Path named = folder.resolve(text + ".shapes");
            if (!Files.exists(given) && !Files.exists(named)) {
                throw new IllegalArgumentException(
                        "shapes is '" + text + "'; T,B,I,H, a file of such lines, or one of " + names(folder)
                                + " expected");
            }
            Shape.read(Files.exists(given) ? given : named).forEach(line -> result.add(Shape.parse(line)));
        }
        return result.stream().distinct().toList();
    }

    private static String names(Path folder) throws IOException {
        if (!Files.isDirectory(folder)) {
            return folder + " (which is not there)";
        }
        try (var files = Files.list(folder)) {
            return files.map(f -> f.getFileName().toString())
                    .filter(f -> f.endsWith(".shapes"))
                    .map(f -> f.substring(0, f.length() - ".shapes".length()))
                    .sorted()
                    .collect(Collectors.joining(", "));
        }
    }

    private List<Integer> threads(boolean comparesDevices) {
        int processors = Runtime.getRuntime().availableProcessors();
        if (threads == null) {
            return comparesDevices || processors == 1 ? List.of(processors) : List.of(1, processors);
        }
        return threads.stream().map(text -> number(text)).distinct().toList();
    }

    private static int number(String text) {
        if (!text.matches("[1-9]\\d{0,5}")) {
            throw new IllegalArgumentException("threads is '" + text + "'; 1 or more expected");
        }
        return Integer.parseInt(text);
    }

    private static GruVariant variant(String name) {
        return named(GruVariant.values(), Cell::nameOf, name)
                .orElseThrow(() -> new IllegalArgumentException(
                        "variant is '" + name + "'; reset-after or reset-before expected"));
    }

    private static <V> Optional<V> named(V[] values, Function<V, String> nameOf, String name) {
        return Arrays.stream(values).filter(value -> nameOf.apply(value).equals(name)).findFirst();
    }
}
