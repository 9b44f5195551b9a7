package dev.gru4j.training.model;

import dev.gru4j.backend.FloatMemory;
import dev.gru4j.backend.IntMemory;
import dev.gru4j.backend.TrainingKernels;

/**
 * From the encoder's last states to the decoder's first ones. One direction: they are the same. Two
 * directions: (L·2,B,H/2) becomes (L,B,H), forward features first, by a gather of rows of H/2 floats;
 * its adjoint is the scatter to the same rows.
 */
final class StateBridge {
    private final TrainingKernels kernels;
    private final int layers;
    private final int hiddenSize;
    private final boolean isBidirectional;
    private final FloatMemory hT;
    private final FloatMemory h0;
    private final FloatMemory dhT;
    private final IntMemory rowOf;
    private int rows;

    StateBridge(Memories memories, SequenceToSequenceSpec spec, int maxB) {
        this.kernels = memories.backend().trainingKernels();
        this.layers = spec.layers();
        this.hiddenSize = spec.hiddenSize();
        this.isBidirectional = spec.bidirectional();
        long length = (long) layers * maxB * hiddenSize;
        this.hT = memories.floats(length);
        this.h0 = isBidirectional ? memories.floats(length) : hT;
        this.dhT = memories.floats(isBidirectional ? length : 0);
        this.rowOf = memories.ints(isBidirectional ? 2L * layers * maxB : 0);
    }

    /** Where the encoder is to write its last states. */
    FloatMemory hT() {
        return hT;
    }

    /** The decoder's first states, for B rows. */
    FloatMemory forward(int B) {
        if (isBidirectional) {
            uploadRows(B);
            kernels.embeddingForward(rowOf, hT, 2 * layers * B, 2 * layers * B, hiddenSize / 2, h0);
        }
        return h0;
    }

    /** The gradient of the encoder's last states, from that of the decoder's first ones. */
    FloatMemory backward(FloatMemory dh0, int B) {
        if (!isBidirectional) {
            return dh0;
        }
        kernels.embeddingBackward(rowOf, dh0, 2 * layers * B, 2 * layers * B, hiddenSize / 2, dhT, false);
        return dhT;
    }

    /** Half-row (layer, b, direction) of h0 is half-row (layer, direction, b) of hT. */
    private void uploadRows(int B) {
        if (rows == B) {
            return;
        }
        int[] from = new int[2 * layers * B];
        for (int layer = 0; layer < layers; layer++) {
            for (int b = 0; b < B; b++) {
                for (int direction = 0; direction < 2; direction++) {
                    from[(layer * B + b) * 2 + direction] = (layer * 2 + direction) * B + b;
                }
            }
        }
        rowOf.upload(0, from, 0, from.length);
        rows = B;
    }
}
