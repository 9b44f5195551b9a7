package dev.gru4j.benchmarks.peers.onednn;

import java.util.Locale;
import org.bytedeco.dnnl.dnnl_memory_desc;
import org.bytedeco.dnnl.global.dnnl;

/** How oneDNN is given weights of the dimensions (1, 1, in, 3, H): each layout leads to kernels of its own. */
enum WeightsLayout {
    /** What the primitive chooses, as oneDNN's documentation recommends: mostly blocks. */
    ANY,

    /** Rows without gaps. */
    PLAIN,

    /**
     * Rows of whole cache lines whose length is no multiple of 1024 bytes: what oneDNN chooses itself where it does not
     * choose blocks.
     */
    PADDED;

    private static final int LINE = 64 / Float.BYTES;

    /** The layout of that name, as configurations call it. */
    static WeightsLayout of(String name) {
        return valueOf(name.toUpperCase(Locale.ROOT));
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** For forward, and for gradients: {@code ldigo}, a row for each input. */
    dnnl_memory_desc forward(OneDnn onednn, long in, long hidden) {
        long[] dimensions = {1, 1, in, 3, hidden};
        return switch (this) {
            case ANY -> onednn.layout(dnnl.dnnl_format_tag_any, dimensions);
            case PLAIN -> onednn.layout(dnnl.dnnl_ldigo, dimensions);
            case PADDED -> {
                long row = padded(3 * hidden);
                yield onednn.strided(dimensions, in * row, in * row, row, hidden, 1);
            }
        };
    }

    /** For backward: {@code ldgoi}, a row for each gate and unit. */
    dnnl_memory_desc backward(OneDnn onednn, long in, long hidden) {
        long[] dimensions = {1, 1, in, 3, hidden};
        return switch (this) {
            case ANY -> onednn.layout(dnnl.dnnl_format_tag_any, dimensions);
            case PLAIN -> onednn.layout(dnnl.dnnl_ldgoi, dimensions);
            case PADDED -> {
                long row = padded(in);
                yield onednn.strided(dimensions, 3 * hidden * row, 3 * hidden * row, 1, hidden * row, row);
            }
        };
    }

    private static long padded(long length) {
        long lines = (length + LINE - 1) / LINE;
        return (lines % 16 == 0 ? lines + 1 : lines) * LINE;
    }
}
