package dev.gru4j.cuda;

/**
 * Device memory for what lies between two kernels of one call: partial sums. It grows to the largest
 * call and stays; calls may share it, since their kernels run one after the other.
 */
final class CudaScratch {
    private final CudaSession session;
    private long address;
    private long bytes;

    CudaScratch(CudaSession session) {
        this.session = session;
    }

    /** An address with room for that many bytes, 8-byte aligned; to be asked for by a thread that has entered the session. */
    long atLeast(long needed) {
        if (needed > bytes) {
            if (bytes > 0) {
                bytes = 0;
                session.free(address);
            }
            long rounded = Math.ceilDiv(needed, (long) Double.BYTES) * Double.BYTES;
            address = session.allocate(rounded);
            bytes = rounded;
        }
        return address;
    }
}
