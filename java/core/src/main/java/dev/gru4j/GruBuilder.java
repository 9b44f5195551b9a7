package dev.gru4j;

import dev.gru4j.backend.BackendOptions;
import dev.gru4j.backend.Backends;
import dev.gru4j.backend.GruBackend;
import dev.gru4j.backend.ProductPrecision;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Settings of a new {@link Gru}, see {@link Gru#builder(int, int)}. */
public final class GruBuilder {
    private GruSpec spec;
    private final @Nullable GruWeights weights;
    private long seed;
    private @Nullable GruBackend backend;
    private @Nullable String backendName;
    private BackendOptions options = BackendOptions.DEFAULT;
    private @Nullable ProductPrecision precision;

    GruBuilder(GruSpec spec, @Nullable GruWeights weights) {
        this.spec = Objects.requireNonNull(spec, "spec");
        this.weights = weights;
    }

    /** L, 1 by default. */
    public GruBuilder layers(int layers) {
        return spec(spec.withLayers(layers));
    }

    /** {@link Directions#FORWARD} by default. */
    public GruBuilder directions(Directions directions) {
        return spec(spec.withDirections(directions));
    }

    /** {@link GruVariant#RESET_AFTER} by default. */
    public GruBuilder variant(GruVariant variant) {
        return spec(spec.withVariant(variant));
    }

    /** {@link BiasMode#BOTH} by default. */
    public GruBuilder bias(BiasMode bias) {
        return spec(spec.withBias(bias));
    }

    /** Dropout between layers in training, a probability in [0, 1), 0 by default. */
    public GruBuilder dropout(float dropout) {
        spec = spec.withDropout(dropout);
        return this;
    }

    /** Seed of the initial weights and of the dropout masks, 0 by default. */
    public GruBuilder seed(long seed) {
        this.seed = seed;
        return this;
    }

    /** A backend of the caller's, who closes it after the layer. */
    public GruBuilder backend(GruBackend backend) {
        this.backend = Objects.requireNonNull(backend, "backend");
        this.backendName = null;
        return this;
    }

    /**
     * The backend of that name, opened for this layer and closed with it. Without a choice: the best that
     * can run, or the one that {@code -Dgru4j.backend} names.
     */
    public GruBuilder backend(String name) {
        this.backendName = Objects.requireNonNull(name, "name");
        this.backend = null;
        return this;
    }

    /** Options of a backend that this layer opens. */
    public GruBuilder options(BackendOptions options) {
        this.options = Objects.requireNonNull(options, "options");
        return this;
    }

    /**
     * Precision of the matrix products, {@link ProductPrecision#FP32} by default; it goes before that of the
     * {@link #options}. The backend is then chosen among those that have it, and one of the caller's must have been
     * opened in it.
     */
    public GruBuilder precision(ProductPrecision precision) {
        this.precision = Objects.requireNonNull(precision, "precision");
        return this;
    }

    /**
     * Makes the layer.
     *
     * @throws IllegalArgumentException if the backend's name is unknown
     * @throws IllegalStateException if that backend cannot run here, with the reason and the remedy, or if the
     *     caller's is of another precision
     */
    public Gru build() {
        GruWeights initial = weights == null ? new GruWeights(spec).initialize(seed) : weights;
        if (backend != null) {
            if (precision != null && backend.precision() != precision) {
                throw new IllegalStateException("precision " + precision + " was asked for, but backend '"
                        + backend.name() + "' was opened in " + backend.precision()
                        + " (open it with BackendOptions.withPrecision)");
            }
            return new Gru(spec, initial, seed, backend, false);
        }
        BackendOptions asked = precision == null ? options : options.withPrecision(precision);
        GruBackend opened = backendName == null ? Backends.open(asked) : Backends.open(backendName, asked);
        try {
            return new Gru(spec, initial, seed, opened, true);
        } catch (RuntimeException | Error e) {
            opened.close();
            throw e;
        }
    }

    private GruBuilder spec(GruSpec changed) {
        if (weights != null && !changed.equals(spec)) {
            throw new IllegalStateException("the given weights are of " + spec + "; they cannot become " + changed);
        }
        spec = changed;
        return this;
    }
}
