package dev.gru4j;

import dev.gru4j.GruParameters.Kind;
import dev.gru4j.GruParameters.Parameter;
import dev.gru4j.io.SafetensorsFile;
import dev.gru4j.io.SafetensorsWriter;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Objects;
import java.util.stream.Collectors;

/**
 * The parameter values of a {@link GruSpec} on the host: one {@code float[]} in the layout of
 * {@link GruParameters}. Gradients have the same layout, so this class holds them too.
 *
 * <p>Weights of other conventions come in through {@link WeightConversions}. Not synchronized: one thread
 * writes, or many read.
 */
public final class GruWeights {
    /** Largest array HotSpot allocates. */
    private static final int MAX_LENGTH = Integer.MAX_VALUE - 8;

    /** Keeps the initial values' key apart from the dropout masks' of the same seed; any constant would do. */
    private static final long INITIALIZE_KEY = 0x6772753477656967L;

    private final GruParameters layout;
    private final float[] values;

    /**
     * All parameters 0.
     *
     * @throws IllegalArgumentException if they do not fit a {@code float[]}
     */
    public GruWeights(GruSpec spec) {
        this(GruParameters.of(spec), new float[arrayLength(spec)]);
    }

    /**
     * Weights over the caller's own array: no copy.
     *
     * @param values all parameters, {@link GruParameters} layout
     * @throws IllegalArgumentException if the length differs from what {@code spec} needs
     */
    public GruWeights(GruSpec spec, float[] values) {
        this(GruParameters.of(spec), values);
        if (values.length != layout.length()) {
            throw new IllegalArgumentException(
                    "parameters has " + values.length + " floats; " + layout.length() + " expected for " + spec);
        }
    }

    private GruWeights(GruParameters layout, float[] values) {
        this.layout = layout;
        this.values = Objects.requireNonNull(values, "values");
    }

    private static int arrayLength(GruSpec spec) {
        long length = GruParameters.of(spec).length();
        if (length > MAX_LENGTH) {
            throw new IllegalArgumentException(
                    spec + " has " + length + " parameters; a float[] holds at most " + MAX_LENGTH);
        }
        return (int) length;
    }

    public GruSpec spec() {
        return layout.spec();
    }

    /** Where each parameter lies in {@link #values()}. */
    public GruParameters layout() {
        return layout;
    }

    /** All values, {@link GruParameters} layout: the array itself, not a copy. */
    public float[] values() {
        return values;
    }

    /** An independent copy. */
    public GruWeights copy() {
        return new GruWeights(layout, values.clone());
    }

    /** Copy of one parameter, row-major: (3H,I_l), (3H,H) or (3H). */
    public float[] get(int layer, int direction, Kind kind) {
        return get(layout.get(layer, direction, kind));
    }

    /** Copy of the parameter that PyTorch calls {@code name}, {@code weight_ih_l0} for example. */
    public float[] get(String name) {
        return get(named(name));
    }

    /** Sets one parameter, row-major: (3H,I_l), (3H,H) or (3H). */
    public void set(int layer, int direction, Kind kind, float[] source) {
        set(layout.get(layer, direction, kind), source);
    }

    /** Sets the parameter that PyTorch calls {@code name}. */
    public void set(String name, float[] source) {
        set(named(name), source);
    }

    /**
     * Draws every parameter, biases included, from the uniform distribution on [−1/√H, 1/√H), PyTorch's
     * choice for GRUs. Value k of the row is a function of seed and k alone ({@link Philox}, counter =
     * (k/4, 0, 0, 0), word k mod 4), so a seed means the same weights everywhere.
     *
     * @return this
     */
    public GruWeights initialize(long seed) {
        float bound = (float) (1 / Math.sqrt(spec().hiddenSize()));
        int[] words = new int[4];
        for (int k = 0; k < values.length; k++) {
            if ((k & 3) == 0) {
                Philox.block(k >>> 2, 0, 0, 0, seed ^ INITIALIZE_KEY, words);
            }
            values[k] = (2 * Philox.toUnitInterval(words[k & 3]) - 1) * bound;
        }
        return this;
    }

    /** {@link #save(Path, String)} without a prefix. */
    public void save(Path path) throws IOException {
        save(path, "");
    }

    /**
     * Writes a safetensors file: PyTorch's names, each after {@code prefix}, F32, and as metadata what the
     * shapes do not tell (variant and dropout). An existing file is replaced in one piece.
     *
     * @param prefix {@code ""}, or the module's path in a PyTorch model: {@code "encoder.gru."}
     */
    public void save(Path path, String prefix) throws IOException {
        SafetensorsWriter writer = new SafetensorsWriter();
        addTo(writer, prefix);
        writer.write(path);
    }

    /** Adds these weights to a file that holds other tensors too; see {@link #save(Path, String)}. */
    public void addTo(SafetensorsWriter writer, String prefix) {
        GruWeightFile.add(writer, prefix, this);
    }

    /** {@link #load(Path, String)} without a prefix. */
    public static GruWeights load(Path path) throws IOException {
        return load(path, "");
    }

    /**
     * Reads weights from a safetensors file and their specification with them: I, H, L, D and the biases
     * from names and shapes, variant and dropout from the metadata {@link #save} wrote or, in files of others,
     * PyTorch's: reset-after and no dropout.
     *
     * @throws dev.gru4j.io.WeightFileException if the file breaks a rule of its format or holds no GRU
     *     under {@code prefix}
     */
    public static GruWeights load(Path path, String prefix) throws IOException {
        try (SafetensorsFile file = SafetensorsFile.open(path)) {
            return GruWeightFile.read(file, GruWeightFile.inferSpec(file, prefix), prefix);
        }
    }

    /**
     * Reads the weights of {@code spec}. Strict: all its tensors in their shapes and, among the names that
     * begin with {@code prefix}, no others.
     *
     * @throws dev.gru4j.io.WeightFileException if the file breaks a rule of its format, a tensor is missing,
     *     unexpected or of another shape, or the file says that it holds another variant
     */
    public static GruWeights load(Path path, GruSpec spec, String prefix) throws IOException {
        try (SafetensorsFile file = SafetensorsFile.open(path)) {
            return load(file, spec, prefix);
        }
    }

    /** {@link #load(Path, GruSpec, String)} from an open file. */
    public static GruWeights load(SafetensorsFile file, GruSpec spec, String prefix) throws IOException {
        return GruWeightFile.read(file, spec, prefix);
    }

    private float[] get(Parameter parameter) {
        float[] copy = new float[(int) parameter.length()];
        System.arraycopy(values, (int) parameter.offset(), copy, 0, copy.length);
        return copy;
    }

    private void set(Parameter parameter, float[] source) {
        if (source.length != parameter.length()) {
            throw new IllegalArgumentException(parameter.name() + " has " + source.length + " floats; "
                    + parameter.length() + " expected for " + spec());
        }
        System.arraycopy(source, 0, values, (int) parameter.offset(), source.length);
    }

    private Parameter named(String name) {
        return layout.all().stream()
                .filter(p -> p.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("no parameter '" + name + "' in " + spec() + "; it has "
                        + layout.all().stream().map(Parameter::name).collect(Collectors.joining(", "))));
    }
}
