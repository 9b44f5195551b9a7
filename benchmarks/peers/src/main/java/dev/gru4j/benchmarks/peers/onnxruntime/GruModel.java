package dev.gru4j.benchmarks.peers.onnxruntime;

import dev.gru4j.GruShape;
import dev.gru4j.GruVariant;
import dev.gru4j.benchmarks.comparison.Problem;
import dev.gru4j.benchmarks.peers.GateOrder;
import java.util.Arrays;

/**
 * An ONNX model that is one GRU node: inputs X (T,B,I) and initial_h (1,B,H), outputs Y (T,1,B,H) and Y_h (1,B,H).
 * Weights are constants of the model, so that a session may pack them when it is made. Field numbers are those of
 * onnx.proto.
 */
final class GruModel {
    private static final GateOrder ORDER = GateOrder.UPDATE_RESET_CANDIDATE;

    /** GRU of this version and later computes the same; 14 is the last that changed it. */
    private static final int OPERATOR_SET = 14;
    private static final int IR_VERSION = 8;
    private static final int FLOAT = 1;
    private static final int INT_ATTRIBUTE = 2;

    private GruModel() {}

    static byte[] of(Problem problem, GruVariant variant) {
        GruShape s = problem.shape();
        int rows = 3 * s.H();
        Protobuf node = new Protobuf();
        for (String input : new String[] {"X", "W", "R", "B", "", "initial_h"}) {
            node.text(1, input);
        }
        node.text(2, "Y").text(2, "Y_h").text(3, "gru").text(4, "GRU");
        node.message(5, attribute("hidden_size", s.H()));
        node.message(5, attribute("linear_before_reset", variant == GruVariant.RESET_AFTER ? 1 : 0));
        Protobuf graph = new Protobuf().message(1, node).text(2, "layer");
        graph.message(5, constant("W", ORDER.fromOurs(problem.weightIh()), 1, rows, s.I()));
        graph.message(5, constant("R", ORDER.fromOurs(problem.weightHh()), 1, rows, s.H()));
        graph.message(5, constant("B", biases(problem), 1, 2L * rows));
        graph.message(11, tensor("X", s.T(), s.B(), s.I())).message(11, tensor("initial_h", 1, s.B(), s.H()));
        graph.message(12, tensor("Y", s.T(), 1, s.B(), s.H())).message(12, tensor("Y_h", 1, s.B(), s.H()));
        Protobuf operators = new Protobuf().text(1, "").number(2, OPERATOR_SET);
        return new Protobuf().number(1, IR_VERSION).message(7, graph).message(8, operators).toBytes();
    }

    /** Those of the input, then those of the state. */
    private static float[] biases(Problem problem) {
        float[] ih = ORDER.fromOurs(problem.biasIh());
        float[] both = Arrays.copyOf(ih, 2 * ih.length);
        System.arraycopy(ORDER.fromOurs(problem.biasHh()), 0, both, ih.length, ih.length);
        return both;
    }

    private static Protobuf attribute(String name, long value) {
        return new Protobuf().text(1, name).number(3, value).number(20, INT_ATTRIBUTE);
    }

    private static Protobuf constant(String name, float[] values, long... dimensions) {
        Protobuf constant = new Protobuf();
        for (long dimension : dimensions) {
            constant.number(1, dimension);
        }
        return constant.number(2, FLOAT).text(8, name).floats(9, values);
    }

    private static Protobuf tensor(String name, long... dimensions) {
        Protobuf shape = new Protobuf();
        for (long dimension : dimensions) {
            shape.message(1, new Protobuf().number(1, dimension));
        }
        Protobuf type = new Protobuf().message(1, new Protobuf().number(1, FLOAT).message(2, shape));
        return new Protobuf().text(1, name).message(2, type);
    }
}
