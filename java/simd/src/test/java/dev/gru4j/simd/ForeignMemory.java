package dev.gru4j.simd;

import dev.gru4j.backend.FloatMemory;
import java.lang.foreign.MemorySegment;

/** Memory of a backend that is not on the CPU. */
record ForeignMemory(long length) implements FloatMemory {
    @Override
    public void upload(long at, float[] source, int from, int count) {}

    @Override
    public void upload(long at, MemorySegment source) {}

    @Override
    public void download(long at, float[] target, int to, int count) {}

    @Override
    public void download(long at, MemorySegment target) {}

    @Override
    public void fill(float value) {}

    @Override
    public FloatMemory slice(long offset, long newLength) {
        return new ForeignMemory(newLength);
    }

    @Override
    public void close() {}
}
