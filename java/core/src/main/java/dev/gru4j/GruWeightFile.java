package dev.gru4j;

import dev.gru4j.GruParameters.Kind;
import dev.gru4j.GruParameters.Parameter;
import dev.gru4j.io.SafetensorsFile;
import dev.gru4j.io.SafetensorsWriter;
import dev.gru4j.io.TensorInfo;
import dev.gru4j.io.WeightFileException;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** How a GRU lies in a safetensors file: PyTorch's names and shapes, and metadata for what they leave open. */
final class GruWeightFile {
    private static final String VARIANT = "gru4j.variant";
    private static final String DROPOUT = "gru4j.dropout";

    private GruWeightFile() {}

    static void add(SafetensorsWriter writer, String prefix, GruWeights weights) {
        GruSpec spec = weights.spec();
        writer.metadata(prefix + VARIANT, spec.variant().name());
        writer.metadata(prefix + DROPOUT, Float.toString(spec.dropout()));
        for (Parameter p : weights.layout().all()) {
            writer.floats(prefix + p.name(), p.shape(), weights.values(), (int) p.offset());
        }
    }

    static GruWeights read(SafetensorsFile file, GruSpec spec, String prefix) throws WeightFileException {
        GruWeights weights = new GruWeights(spec);
        GruVariant variant = variant(file, prefix);
        if (variant != null && variant != spec.variant()) {
            throw new WeightFileException(
                    file.path() + " holds weights of variant " + variant + "; " + spec.variant() + " expected");
        }
        Set<String> unexpected = new LinkedHashSet<>();
        for (TensorInfo tensor : file.tensors()) {
            if (tensor.name().startsWith(prefix)) {
                unexpected.add(tensor.name());
            }
        }
        for (Parameter p : weights.layout().all()) {
            String name = prefix + p.name();
            if (!file.contains(name)) {
                throw new WeightFileException(
                        file.path() + ": tensor '" + name + "' is missing; " + spec + " needs it");
            }
            unexpected.remove(name);
            List<Long> expected = Arrays.stream(p.shape()).boxed().toList();
            List<Long> found = file.tensor(name).shape();
            if (!found.equals(expected)) {
                throw new WeightFileException(
                        file.path() + ": tensor '" + name + "' has shape " + found + "; " + expected
                                + " expected for " + spec);
            }
        }
        if (!unexpected.isEmpty()) {
            throw new WeightFileException(file.path() + ": unexpected tensors " + unexpected + "; " + spec
                    + " has no such parameters");
        }
        for (Parameter p : weights.layout().all()) {
            file.readFloats(prefix + p.name(), weights.values(), (int) p.offset());
        }
        return weights;
    }

    /** What names, shapes and metadata say; {@link #read} finds what does not fit together. */
    static GruSpec inferSpec(SafetensorsFile file, String prefix) throws WeightFileException {
        boolean forward = has(file, prefix, Kind.WEIGHT_HH, 0, false);
        boolean reverse = has(file, prefix, Kind.WEIGHT_HH, 0, true);
        if (!forward && !reverse) {
            throw new WeightFileException(file.path() + " holds no GRU: no tensor '" + prefix
                    + Kind.WEIGHT_HH.nameOf(0, false) + "'; it has "
                    + file.tensors().stream().map(TensorInfo::name).toList());
        }
        Directions directions =
                forward && reverse ? Directions.BIDIRECTIONAL : forward ? Directions.FORWARD : Directions.REVERSE;
        int layers = 1;
        while (has(file, prefix, Kind.WEIGHT_HH, layers, !forward)) {
            layers++;
        }
        BiasMode bias = has(file, prefix, Kind.BIAS_HH, 0, !forward)
                ? BiasMode.BOTH
                : has(file, prefix, Kind.BIAS_IH, 0, !forward) ? BiasMode.INPUT
                : BiasMode.NONE;
        GruVariant variant = variant(file, prefix);
        int inputSize = columns(file, prefix + Kind.WEIGHT_IH.nameOf(0, !forward));
        int hiddenSize = columns(file, prefix + Kind.WEIGHT_HH.nameOf(0, !forward));
        try {
            return new GruSpec(
                    inputSize,
                    hiddenSize,
                    layers,
                    directions,
                    variant == null ? GruVariant.RESET_AFTER : variant,
                    bias,
                    Float.parseFloat(file.metadata().getOrDefault(prefix + DROPOUT, "0")));
        } catch (IllegalArgumentException e) {
            throw new WeightFileException(file.path() + ": " + e.getMessage());
        }
    }

    private static @Nullable GruVariant variant(SafetensorsFile file, String prefix) throws WeightFileException {
        String name = file.metadata().get(prefix + VARIANT);
        if (name == null) {
            return null;
        }
        return Arrays.stream(GruVariant.values())
                .filter(v -> v.name().equals(name))
                .findFirst()
                .orElseThrow(
                        () -> new WeightFileException(file.path() + ": metadata " + prefix + VARIANT + " is '" + name
                                + "'; one of " + List.of(GruVariant.values()) + " expected"));
    }

    private static boolean has(SafetensorsFile file, String prefix, Kind kind, int layer, boolean reverse) {
        return file.contains(prefix + kind.nameOf(layer, reverse));
    }

    private static int columns(SafetensorsFile file, String name) throws WeightFileException {
        List<Long> shape = file.tensor(name).shape();
        if (shape.size() != 2 || shape.get(1) > Integer.MAX_VALUE) {
            throw new WeightFileException(
                    file.path() + ": tensor '" + name + "' has shape " + shape + "; [3H, columns] expected");
        }
        return shape.get(1).intValue();
    }
}
