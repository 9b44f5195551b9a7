package dev.gru4j.training.model;

import dev.gru4j.GruParameters;
import dev.gru4j.GruSpec;
import dev.gru4j.backend.TrainingKernels;
import dev.gru4j.reference.Precision;
import dev.gru4j.reference.ReferenceNetwork;
import dev.gru4j.training.ParameterSet;
import dev.gru4j.training.data.PairBatch;
import dev.gru4j.training.data.SeriesBatch;
import dev.gru4j.training.data.TokenBatch;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The losses of the three models as functions of one flat row of parameters, in double and without
 * any of the code under test but the layout: what finite differences are taken of.
 */
final class DoubleLoss {
    private final ParameterSet layout;
    private final double[] parameters;

    DoubleLoss(ParameterSet layout, double[] parameters) {
        this.layout = layout;
        this.parameters = parameters;
    }

    double languageModel(LanguageModelSpec spec, TokenBatch batch, double @Nullable [] h0, long step, long seed) {
        double[] x = embed("embedding.weight", batch.ids(), spec.gru().inputSize());
        ReferenceNetwork.Forward forward = network("gru.", spec.gru())
                .forward(batch.T(), batch.B(), x, h0, batch.lengths(), dropout(seed, step));
        return crossEntropy(forward.y(), batch, spec.gru().hiddenSize(), spec.vocabulary());
    }

    double sequenceToSequence(SequenceToSequenceSpec spec, PairBatch batch, long step, long seed) {
        PairBatch.Side source = batch.source();
        TokenBatch target = batch.target();
        int B = target.B();
        double[] hT = network("encoder.", spec.encoder())
                .forward(
                        source.T(),
                        B,
                        embed("source_embedding.weight", source.ids(), spec.embeddingSize()),
                        null,
                        source.lengths(),
                        dropout(seed, step))
                .hT();
        double[] h0 = spec.bidirectional() ? joined(hT, spec.layers(), B, spec.hiddenSize()) : hT;
        ReferenceNetwork.Forward forward = network("decoder.", spec.decoder())
                .forward(
                        target.T(),
                        B,
                        embed("target_embedding.weight", target.ids(), spec.embeddingSize()),
                        h0,
                        target.lengths(),
                        dropout(~seed, step));
        return crossEntropy(forward.y(), target, spec.hiddenSize(), spec.targetVocabulary());
    }

    double forecaster(ForecasterSpec spec, SeriesBatch batch, long step, long seed) {
        double[] x = new double[batch.x().length];
        for (int i = 0; i < x.length; i++) {
            x[i] = batch.x()[i];
        }
        ReferenceNetwork.Forward forward = network("gru.", spec.gru())
                .forward(batch.T(), batch.B(), x, null, batch.lengths(), dropout(seed, step));
        double sum = 0;
        int outputs = spec.outputs();
        for (int k = 0; k < batch.positions().length; k++) {
            double[] prediction = head(forward.y(), batch.positions()[k], spec.gru().hiddenSize(), outputs);
            for (int j = 0; j < outputs; j++) {
                double difference = prediction[j] - batch.targets()[k * outputs + j];
                sum += difference * difference;
            }
        }
        return sum / batch.targets().length;
    }

    private static ReferenceNetwork.Dropout dropout(long seed, long step) {
        return new ReferenceNetwork.Dropout(seed, step);
    }

    /** (L·2,B,H/2) to (L,B,H), forward features first. */
    private static double[] joined(double[] hT, int layers, int B, int hidden) {
        int half = hidden / 2;
        double[] h0 = new double[hT.length];
        for (int layer = 0; layer < layers; layer++) {
            for (int b = 0; b < B; b++) {
                for (int j = 0; j < hidden; j++) {
                    int state = layer * 2 + j / half;
                    h0[(layer * B + b) * hidden + j] = hT[(state * B + b) * half + j % half];
                }
            }
        }
        return h0;
    }

    private double[] embed(String table, int[] ids, int width) {
        long offset = layout.tensor(table).offset();
        double[] x = new double[ids.length * width];
        for (int k = 0; k < ids.length; k++) {
            for (int i = 0; i < width && ids[k] != TrainingKernels.NONE; i++) {
                x[k * width + i] = parameters[(int) offset + ids[k] * width + i];
            }
        }
        return x;
    }

    private ReferenceNetwork network(String prefix, GruSpec spec) {
        double[] values = new double[(int) GruParameters.of(spec).length()];
        int at = 0;
        // Tensor by tensor and by name, so that a wrong order in the flat row would show.
        for (GruParameters.Parameter p : GruParameters.of(spec).all()) {
            ParameterSet.Tensor tensor = layout.tensor(prefix + p.name());
            for (int i = 0; i < tensor.length(); i++) {
                values[at++] = parameters[(int) tensor.offset() + i];
            }
        }
        return new ReferenceNetwork(spec, Precision.DOUBLE, values);
    }

    private double crossEntropy(double[] y, TokenBatch batch, int hidden, int classes) {
        int[] positions = batch.positions();
        double sum = 0;
        for (int k = 0; k < batch.targets().length; k++) {
            double[] logits = head(y, positions == null ? k : positions[k], hidden, classes);
            double total = 0;
            for (double logit : logits) {
                total += Math.exp(logit);
            }
            sum += Math.log(total) - logits[batch.targets()[k]];
        }
        return sum / batch.targets().length;
    }

    private double[] head(double[] y, int position, int hidden, int outputs) {
        int weight = (int) layout.tensor("head.weight").offset();
        int bias = (int) layout.tensor("head.bias").offset();
        double[] out = new double[outputs];
        for (int j = 0; j < outputs; j++) {
            out[j] = parameters[bias + j];
            for (int i = 0; i < hidden; i++) {
                out[j] += y[position * hidden + i] * parameters[weight + j * hidden + i];
            }
        }
        return out;
    }

    /** The tensor that holds a float of the flat row, for messages. */
    static String nameOf(List<ParameterSet.Tensor> tensors, int index) {
        for (ParameterSet.Tensor t : tensors) {
            if (index >= t.offset() && index < t.offset() + t.length()) {
                return t.name() + "[" + (index - t.offset()) + "]";
            }
        }
        throw new AssertionError(index);
    }
}
