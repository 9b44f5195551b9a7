package dev.gru4j.parity;

import dev.gru4j.GruParameters;
import dev.gru4j.GruParameters.Parameter;
import dev.gru4j.GruSpec;
import dev.gru4j.GruVariant;
import java.util.ArrayList;
import java.util.List;

/** The tensors of a case, by name, phase by phase. */
final class GruTensors {
    private static final List<String> RESERVE_NAMES = List.of("r", "z", "n", "gh_n");

    private GruTensors() {}

    /** What a phase returns when everything is asked for. */
    static List<Tensor> of(GruCase problem, Phase phase) {
        return switch (phase) {
            case INFERENCE -> outputs(problem);
            case TRAINING -> {
                List<Tensor> all = new ArrayList<>(outputs(problem));
                all.addAll(reserve(problem));
                yield List.copyOf(all);
            }
            case BACKWARD -> gradients(problem);
        };
    }

    /** {@code r_l0}, {@code gh_n_l1_reverse}: one slot of the reserve of one layer and direction. */
    static String reserveName(GruSpec spec, int slot, int layer, int direction) {
        return RESERVE_NAMES.get(slot) + "_l" + layer + (spec.directions().isReverse(direction) ? "_reverse" : "");
    }

    /** Slots of the reserve: 4 for reset-after, 3 for reset-before. */
    static int reserveSlots(GruVariant variant) {
        return variant.reserveGates();
    }

    private static List<Tensor> outputs(GruCase problem) {
        GruSpec spec = problem.spec();
        int B = problem.shape().B();
        return List.of(
                Tensor.sequence("y", problem.shape().T(), B, "j", spec.outputSize()),
                Tensor.states("hT", spec.states(), B, spec.hiddenSize()));
    }

    private static List<Tensor> reserve(GruCase problem) {
        GruSpec spec = problem.spec();
        List<Tensor> tensors = new ArrayList<>();
        for (int layer = 0; layer < spec.layers(); layer++) {
            for (int d = 0; d < spec.directions().count(); d++) {
                for (int slot = 0; slot < reserveSlots(spec.variant()); slot++) {
                    String name = reserveName(spec, slot, layer, d);
                    tensors.add(
                            Tensor.sequence(name, problem.shape().T(), problem.shape().B(), "j", spec.hiddenSize()));
                }
            }
        }
        return tensors;
    }

    private static List<Tensor> gradients(GruCase problem) {
        GruSpec spec = problem.spec();
        int B = problem.shape().B();
        List<Tensor> tensors = new ArrayList<>(List.of(
                Tensor.sequence("dx", problem.shape().T(), B, "i", spec.inputSize()),
                Tensor.states("dh0", spec.states(), B, spec.hiddenSize())));
        for (Parameter p : GruParameters.of(spec).all()) {
            tensors.add(Tensor.gates("d" + p.name(), spec.hiddenSize(), p.columns()));
        }
        return List.copyOf(tensors);
    }
}
