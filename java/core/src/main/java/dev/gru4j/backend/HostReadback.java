package dev.gru4j.backend;

import java.util.Objects;

/** A place for results of a backend whose memory can be read when a call returns: a copy is done at once. */
final class HostReadback implements FloatReadback {
    private final float[] floats;
    private boolean open = true;

    HostReadback(int length) {
        if (length < 0) {
            throw new IllegalArgumentException("length is " + length + " floats; 0 or more expected");
        }
        this.floats = new float[length];
    }

    @Override
    public int length() {
        return floats.length;
    }

    @Override
    public void copy(FloatMemory source, long at, int to, int count) {
        checkOpen();
        source.download(at, floats, to, count);
    }

    @Override
    public boolean isDone() {
        checkOpen();
        return true;
    }

    @Override
    public void get(int at, float[] target, int to, int count) {
        checkOpen();
        Objects.checkFromIndexSize(at, count, floats.length);
        System.arraycopy(floats, at, target, Objects.checkFromIndexSize(to, count, target.length), count);
    }

    @Override
    public void close() {
        open = false;
    }

    private void checkOpen() {
        if (!open) {
            throw new IllegalStateException("readback of " + floats.length + " floats was closed");
        }
    }
}
