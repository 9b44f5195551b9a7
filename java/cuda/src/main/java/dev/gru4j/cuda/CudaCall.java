package dev.gru4j.cuda;

import dev.gru4j.backend.GruCall;

/**
 * A call's tensors as device addresses, 0 where one is absent.
 *
 * @param call T, B, dropout and accumulate
 * @param lengths (B) on the device; 0 if no row is padded
 */
record CudaCall(
        GruCall call, long parameters, long x, long h0, long lengths, long y, long hT, long workspace, long reserve,
        long dy, long dhT, long dx, long dh0, long dParameters) {
    int T() {
        return call.T();
    }

    int B() {
        return call.B();
    }

    /** Positions of this call. */
    int N() {
        return call.T() * call.B();
    }

    /** The address of float {@code offset} in the workspace. */
    long inWorkspace(long offset) {
        return workspace + offset * Float.BYTES;
    }

    /** The address of float {@code offset} in the reserve. */
    long inReserve(long offset) {
        return reserve + offset * Float.BYTES;
    }

    /** The part of h0, hT, dh0 or dhT (L·D,B,H) that belongs to a layer and direction; 0 if the tensor is absent. */
    long state(long tensor, CudaLayer layer, int directions, int H) {
        long index = (long) layer.layer() * directions + layer.direction();
        return tensor == 0 ? 0 : tensor + index * B() * H * Float.BYTES;
    }
}
