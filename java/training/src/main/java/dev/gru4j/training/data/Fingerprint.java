package dev.gru4j.training.data;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.zip.CRC32C;

/** A checksum of a data set, so that a resumed run notices that its data is another one. */
final class Fingerprint {
    private Fingerprint() {}

    static String of(List<int[]> sequences) {
        CRC32C crc = new CRC32C();
        for (int[] sequence : sequences) {
            add(crc, new int[] {sequence.length});
            add(crc, sequence);
        }
        return text(crc);
    }

    static String of(int[] tokens) {
        return of(List.of(tokens));
    }

    static String of(float[] values) {
        CRC32C crc = new CRC32C();
        int[] bits = new int[values.length];
        Arrays.setAll(bits, i -> Float.floatToRawIntBits(values[i]));
        add(crc, bits);
        return text(crc);
    }

    private static void add(CRC32C crc, int[] values) {
        byte[] bytes = new byte[Math.multiplyExact(values.length, Integer.BYTES)];
        MemorySegment.copy(
                MemorySegment.ofArray(values),
                ValueLayout.JAVA_INT,
                0,
                MemorySegment.ofArray(bytes),
                ValueLayout.JAVA_INT_UNALIGNED.withOrder(java.nio.ByteOrder.LITTLE_ENDIAN),
                0,
                values.length);
        crc.update(bytes);
    }

    private static String text(CRC32C crc) {
        return String.format("crc32c:%08x", crc.getValue());
    }
}
