package dev.gru4j.cuda;

/**
 * A call's tensors as device addresses, 0 where one is absent: all that the launches of a pass depend on.
 *
 * @param accumulate whether gradients of parameters are added to
 * @param draw seed and iteration of the dropout masks, three words on the device; 0 if there is no dropout
 * @param lengths (B) on the device; 0 if no row is padded
 */
record CudaCall(
        int T, int B, boolean accumulate, long parameters, long x, long h0, long draw, long lengths, long y, long hT,
        long workspace, long reserve, long dy, long dhT, long dx, long dh0, long dParameters) {
    /** Positions of this call. */
    int N() {
        return T * B;
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
        return tensor == 0 ? 0 : tensor + index * B * H * Float.BYTES;
    }
}
