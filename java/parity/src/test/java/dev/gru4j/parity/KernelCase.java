package dev.gru4j.parity;

import dev.gru4j.backend.FloatMemory;
import dev.gru4j.backend.GruBackend;
import dev.gru4j.backend.IntMemory;
import dev.gru4j.backend.TrainingKernels;
import dev.gru4j.reference.Precision;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.TreeMap;

/**
 * One call of a training kernel: its data, its formula and how a backend is asked. A tensor that is both among the
 * inputs and the results is updated in place.
 *
 * @param id kernel, sizes and options
 * @param inputs float arguments by name
 * @param ids integer argument: token ids or targets; empty where there is none
 * @param results what is compared
 */
@SuppressWarnings("ArrayRecordComponent") // Never compared or hashed: a bundle of arguments.
record KernelCase(
        String id, Map<String, float[]> inputs, int[] ids, List<Tensor> results, Formula formula, OnBackend onBackend) {
    /** The kernel's formula, in any precision. */
    @FunctionalInterface
    interface Formula {
        Map<String, double[]> run(Precision precision, Map<String, double[]> inputs);
    }

    /** The call of the kernel. */
    @FunctionalInterface
    interface OnBackend {
        void run(TrainingKernels kernels, Memories memories);
    }

    /** What the kernel is handed, by name. */
    record Memories(Map<String, GuardedMemory> floats, IntMemory ids) {
        FloatMemory get(String name) {
            return Objects.requireNonNull(floats.get(name), name).memory();
        }
    }

    /** Nearly the same data, see {@link GruInputs#redraw}. */
    KernelCase redraw(int draw, double change) {
        if (draw == 0) {
            return this;
        }
        SplittableRandom random = new SplittableRandom(draw);
        Map<String, float[]> redrawn = new HashMap<>();
        new TreeMap<>(inputs).forEach((name, values) -> redrawn.put(name, GruInputs.redrawn(values, random, change)));
        return new KernelCase(id, redrawn, ids, results, formula, onBackend);
    }

    Map<String, double[]> run(Precision precision) {
        Map<String, double[]> exact = new HashMap<>();
        inputs.forEach((name, values) -> exact.put(name, GruReference.doubles(values, values.length)));
        return formula.run(precision, exact);
    }

    /** Runs on a backend, every memory guarded and every output NaN before the call. */
    Map<String, double[]> run(GruBackend backend) {
        Map<String, GuardedMemory> floats = new LinkedHashMap<>();
        try (IntMemory integers = backend.allocateInts(ids.length)) {
            integers.upload(0, ids, 0, ids.length);
            inputs.forEach((name, values) -> floats.put(name, GuardedMemory.of(backend, name, values, true)));
            for (Tensor tensor : results) {
                floats.computeIfAbsent(
                        tensor.name(), name -> GuardedMemory.ofNaN(backend, name, tensor.length(), true));
            }
            onBackend.run(backend.trainingKernels(), new Memories(floats, integers));
            inputs.forEach((name, values) -> {
                if (results.stream().noneMatch(t -> t.name().equals(name))) {
                    Objects.requireNonNull(floats.get(name)).checkUnchanged(values);
                }
            });
            Map<String, double[]> found = new HashMap<>();
            for (Tensor tensor : results) {
                float[] values = Objects.requireNonNull(floats.get(tensor.name())).read();
                found.put(tensor.name(), GruReference.doubles(values, values.length));
            }
            return found;
        } finally {
            floats.values().forEach(GuardedMemory::close);
        }
    }

    @Override
    public String toString() {
        return id;
    }
}
