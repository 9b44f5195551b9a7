package dev.gru4j.benchmarks.peers.onednn;

import static org.bytedeco.dnnl.global.dnnl.dnnl_cpu;
import static org.bytedeco.dnnl.global.dnnl.dnnl_engine_create;
import static org.bytedeco.dnnl.global.dnnl.dnnl_f32;
import static org.bytedeco.dnnl.global.dnnl.dnnl_memory_create;
import static org.bytedeco.dnnl.global.dnnl.dnnl_memory_desc_create_with_strides;
import static org.bytedeco.dnnl.global.dnnl.dnnl_memory_desc_create_with_tag;
import static org.bytedeco.dnnl.global.dnnl.dnnl_memory_desc_equal;
import static org.bytedeco.dnnl.global.dnnl.dnnl_memory_desc_get_size;
import static org.bytedeco.dnnl.global.dnnl.dnnl_primitive_create;
import static org.bytedeco.dnnl.global.dnnl.dnnl_primitive_desc_query_md;
import static org.bytedeco.dnnl.global.dnnl.dnnl_primitive_execute;
import static org.bytedeco.dnnl.global.dnnl.dnnl_query_exec_arg_md;
import static org.bytedeco.dnnl.global.dnnl.dnnl_reorder_primitive_desc_create;
import static org.bytedeco.dnnl.global.dnnl.dnnl_stream_create;
import static org.bytedeco.dnnl.global.dnnl.dnnl_stream_default_flags;
import static org.bytedeco.dnnl.global.dnnl.dnnl_stream_wait;
import static org.bytedeco.dnnl.global.dnnl.dnnl_success;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;
import java.util.function.ToIntFunction;
import org.bytedeco.dnnl.dnnl_engine;
import org.bytedeco.dnnl.dnnl_exec_arg_t;
import org.bytedeco.dnnl.dnnl_memory;
import org.bytedeco.dnnl.dnnl_memory_desc;
import org.bytedeco.dnnl.dnnl_primitive;
import org.bytedeco.dnnl.dnnl_primitive_desc;
import org.bytedeco.dnnl.dnnl_stream;
import org.bytedeco.dnnl.global.dnnl;
import org.bytedeco.javacpp.Pointer;

/**
 * An engine and a stream of oneDNN's on the CPU, and everything made on them, freed together. Every status is looked
 * at. One thread calls all methods.
 */
final class OneDnn implements AutoCloseable {
    /** A cache line, and what oneDNN's own buffers are aligned to. */
    private static final long ALIGNMENT = 64;

    private final Arena arena = Arena.ofConfined();
    private final Deque<Runnable> made = new ArrayDeque<>();
    private final dnnl_engine engine = new dnnl_engine();
    private final dnnl_stream stream = new dnnl_stream();

    OneDnn() {
        made.push(arena::close);
        create(engine, e -> dnnl_engine_create(e, dnnl_cpu, 0), dnnl::dnnl_engine_destroy);
        create(stream, s -> dnnl_stream_create(s, engine, dnnl_stream_default_flags), dnnl::dnnl_stream_destroy);
    }

    /**
     * A tensor: floats off heap in the layout of a descriptor.
     *
     * @param layout dimensions and strides or blocks
     * @param floats as many as the layout needs, padding included
     * @param memory oneDNN's view of them
     */
    record Tensor(dnnl_memory_desc layout, MemorySegment floats, dnnl_memory memory) {
        /** All floats, in the order of the layout. */
        float[] toArray() {
            return floats.toArray(ValueLayout.JAVA_FLOAT);
        }
    }

    dnnl_engine engine() {
        return engine;
    }

    /** A layout by one of oneDNN's format tags; {@code dnnl_format_tag_any} leaves it to the primitive. */
    dnnl_memory_desc layout(int tag, long... dimensions) {
        return create(
                new dnnl_memory_desc(),
                d -> dnnl_memory_desc_create_with_tag(d, dimensions.length, dimensions, dnnl_f32, tag),
                dnnl::dnnl_memory_desc_destroy);
    }

    /** A layout by the distance, in floats, of neighbours in each dimension. */
    dnnl_memory_desc strided(long[] dimensions, long... strides) {
        return create(
                new dnnl_memory_desc(),
                d -> dnnl_memory_desc_create_with_strides(d, dimensions.length, dimensions, dnnl_f32, strides),
                dnnl::dnnl_memory_desc_destroy);
    }

    /** The layout that a primitive has or has chosen for one of its arguments, {@code DNNL_ARG_…}. */
    static dnnl_memory_desc layoutOf(dnnl_primitive_desc descriptor, int argument) {
        return dnnl_primitive_desc_query_md(descriptor, dnnl_query_exec_arg_md, argument);
    }

    static boolean isSame(dnnl_memory_desc one, dnnl_memory_desc other) {
        return dnnl_memory_desc_equal(one, other) != 0;
    }

    /** A tensor of zeros. */
    Tensor tensor(dnnl_memory_desc layout) {
        MemorySegment floats = arena.allocate(Math.max(ALIGNMENT, dnnl_memory_desc_get_size(layout)), ALIGNMENT);
        dnnl_memory memory = create(
                new dnnl_memory(),
                m -> dnnl_memory_create(m, layout, engine, new Address(floats)),
                dnnl::dnnl_memory_destroy);
        return new Tensor(layout, floats, memory);
    }

    /** A tensor of these values, which are in the order of the layout. */
    Tensor tensor(dnnl_memory_desc layout, float... values) {
        Tensor tensor = tensor(layout);
        MemorySegment.copy(values, 0, tensor.floats, ValueLayout.JAVA_FLOAT, 0, values.length);
        return tensor;
    }

    /** A copy in a layout that may be another: now, not when something is timed. */
    Tensor copy(Tensor tensor, dnnl_memory_desc layout) {
        Tensor copy = tensor(layout);
        reorder(tensor, copy).run();
        return copy;
    }

    /** What copies a tensor into one of another layout. */
    Runnable reorder(Tensor from, Tensor to) {
        dnnl_primitive_desc descriptor = descriptor(
                d -> dnnl_reorder_primitive_desc_create(d, from.layout, engine, to.layout, engine, null));
        return call(descriptor, Map.of(dnnl.DNNL_ARG_FROM, from, dnnl.DNNL_ARG_TO, to));
    }

    dnnl_primitive_desc descriptor(ToIntFunction<dnnl_primitive_desc> creation) {
        return create(new dnnl_primitive_desc(), creation, dnnl::dnnl_primitive_desc_destroy);
    }

    /** What runs a primitive on these tensors, by {@code DNNL_ARG_…}, and waits for it. */
    Runnable call(dnnl_primitive_desc descriptor, Map<Integer, Tensor> tensors) {
        dnnl_primitive primitive =
                create(new dnnl_primitive(), p -> dnnl_primitive_create(p, descriptor), dnnl::dnnl_primitive_destroy);
        dnnl_exec_arg_t arguments = new dnnl_exec_arg_t(tensors.size());
        made.push(arguments::deallocate);
        int count = 0;
        for (Map.Entry<Integer, Tensor> entry : tensors.entrySet()) {
            arguments.position(count++).arg(entry.getKey()).memory(entry.getValue().memory);
        }
        arguments.position(0);
        int length = count;
        return () -> {
            check(dnnl_primitive_execute(primitive, stream, length, arguments));
            check(dnnl_stream_wait(stream));
        };
    }

    private <P extends Pointer> P create(P object, ToIntFunction<P> creation, ToIntFunction<P> destruction) {
        check(creation.applyAsInt(object));
        made.push(() -> check(destruction.applyAsInt(object)));
        return object;
    }

    private static void check(int status) {
        if (status != dnnl_success) {
            throw new IllegalStateException("oneDNN answered with status " + status + " of dnnl_status_t");
        }
    }

    @Override
    public void close() {
        while (!made.isEmpty()) {
            made.pop().run();
        }
    }

    /** An address as JavaCPP's calls take it; the segment's owner keeps it alive. */
    private static final class Address extends Pointer {
        Address(MemorySegment segment) {
            address = segment.address();
        }
    }
}
