package dev.gru4j.benchmarks.peers.onnxruntime;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.gru4j.GruShape;
import dev.gru4j.benchmarks.comparison.Cell;
import dev.gru4j.benchmarks.comparison.Prepared;
import dev.gru4j.benchmarks.comparison.Problem;
import dev.gru4j.benchmarks.comparison.Results;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;

/** A session whose inputs and outputs are buffers off heap, given once and used in place by every run. */
final class OnnxRuntimeLayer implements Prepared {
    private final OrtEnvironment environment = OrtEnvironment.getEnvironment();
    private final Deque<AutoCloseable> made = new ArrayDeque<>();
    private final OrtSession session;
    private final FloatBuffer y;
    private final FloatBuffer hT;
    private final Map<String, OnnxTensor> inputs;
    private final Map<String, OnnxTensor> outputs;

    OnnxRuntimeLayer(Cell cell, Problem problem) {
        GruShape s = cell.shape();
        boolean complete = false;
        try {
            session = session(cell, problem);
            y = buffer(new float[problem.dy().length]);
            hT = buffer(new float[problem.dhT().length]);
            inputs = Map.of(
                    "X", tensor(buffer(problem.x()), s.T(), s.B(), s.I()),
                    "initial_h", tensor(buffer(problem.h0()), 1, s.B(), s.H()));
            outputs = Map.of("Y", tensor(y, s.T(), 1, s.B(), s.H()), "Y_h", tensor(hT, 1, s.B(), s.H()));
            complete = true;
        } catch (OrtException e) {
            throw failed(e);
        } finally {
            if (!complete) {
                close();
            }
        }
    }

    private OrtSession session(Cell cell, Problem problem) throws OrtException {
        try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
            options.setIntraOpNumThreads(cell.threads());
            options.setInterOpNumThreads(1);
            options.setExecutionMode(OrtSession.SessionOptions.ExecutionMode.SEQUENTIAL);
            options.setOptimizationLevel(OrtSession.SessionOptions.OptLevel.ALL_OPT);
            if (cell.threads() == 1) {
                options.addConfigEntry("session.intra_op.allow_spinning", "0");
            }
            OrtSession opened = environment.createSession(GruModel.of(problem, cell.variant()), options);
            made.push(opened);
            return opened;
        }
    }

    private OnnxTensor tensor(FloatBuffer buffer, long... dimensions) throws OrtException {
        OnnxTensor tensor = OnnxTensor.createTensor(environment, buffer, dimensions);
        made.push(tensor);
        return tensor;
    }

    private static FloatBuffer buffer(float... values) {
        int bytes = Math.multiplyExact(values.length, Float.BYTES);
        return ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder()).asFloatBuffer().put(values).rewind();
    }

    @Override
    public void run() {
        // The result holds nothing of its own: all outputs are ours.
        try (OrtSession.Result _ = session.run(inputs, outputs)) {
            return;
        } catch (OrtException e) {
            throw failed(e);
        }
    }

    @Override
    public Results results() {
        return Results.ofInference(values(y), values(hT));
    }

    private static float[] values(FloatBuffer buffer) {
        float[] values = new float[buffer.capacity()];
        buffer.get(0, values);
        return values;
    }

    private static IllegalStateException failed(Exception e) {
        return new IllegalStateException("ONNX Runtime: " + e.getMessage(), e);
    }

    @Override
    public void close() {
        try {
            while (!made.isEmpty()) {
                made.pop().close();
            }
        } catch (Exception e) {
            throw failed(e);
        }
    }
}
