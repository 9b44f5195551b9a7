// SPDX-License-Identifier: Apache-2.0
//
// Kernels for the tests of the emulator: two that are right, and one for every mistake that must be noticed.

#include "gru_device.cuh"

namespace {

struct Vector {
    const float* x;
    float* y;
    long long n;
};

} // namespace

// y = 2x
GRU4J_KERNEL(test_double, 256, Vector, p) {
    for (long long i = gru4j::global_thread(); i < p.n; i += gru4j::global_threads()) {
        p.y[i] = 2.0f * p.x[i];
    }
}

// y = x, reversed within each block, neighbours swapped by a shuffle: reads what other threads wrote.
GRU4J_KERNEL(test_reverse, 1024, Vector, p) {
    GRU4J_SHARED(float, s_x);
    s_x[gru4j::thread_x()] = p.x[gru4j::global_thread()];
    gru4j::block_sync();
    float mirrored = s_x[gru4j::threads_x() - 1 - gru4j::thread_x()];
    p.y[gru4j::global_thread()] = gru4j::warp_shuffle_xor(mirrored, 1);
}

// The second half of y = the first half of x, reversed over all blocks: reads what other blocks wrote. y's last word is
// the flag at which they meet, 0 before.
GRU4J_KERNEL(test_meet, 256, Vector, p) {
    const long long threads = gru4j::global_threads();
    unsigned* flag = reinterpret_cast<unsigned*>(p.y + p.n - 1);
    p.y[gru4j::global_thread()] = p.x[gru4j::global_thread()];
    gru4j::block_sync();
    if (gru4j::thread_x() == 0) {
        gru4j::signal(flag);
        gru4j::wait_at_least(flag, static_cast<unsigned>(gru4j::grid_x()));
    }
    gru4j::block_sync();
    p.y[threads + gru4j::global_thread()] = gru4j::load_l2(p.y + threads - 1 - gru4j::global_thread());
}

GRU4J_KERNEL(planted_missing_barrier, 256, Vector, p) {
    GRU4J_SHARED(float, s_x);
    s_x[gru4j::thread_x()] = p.x[gru4j::global_thread()];
    p.y[gru4j::global_thread()] = s_x[gru4j::threads_x() - 1 - gru4j::thread_x()];
}

// In the ascending order of threads, every thread happens to find what it reads: only another order, or
// ThreadSanitizer, shows that a barrier is missing.
GRU4J_KERNEL(planted_lucky_order, 256, Vector, p) {
    GRU4J_SHARED(float, s_x);
    s_x[gru4j::thread_x()] = p.x[gru4j::global_thread()];
    p.y[gru4j::global_thread()] = s_x[gru4j::thread_x() / 2];
}

// Two blocks, one place.
GRU4J_KERNEL(planted_blocks_race, 256, Vector, p) {
    p.y[gru4j::thread_x()] = static_cast<float>(gru4j::block_x());
}

GRU4J_KERNEL(planted_shared_overrun, 256, Vector, p) {
    GRU4J_SHARED(float, s_x);
    s_x[gru4j::thread_x() + 1] = p.x[gru4j::global_thread()];
    gru4j::block_sync();
    p.y[gru4j::global_thread()] = s_x[gru4j::thread_x()];
}

GRU4J_KERNEL(planted_write_past_end, 256, Vector, p) {
    p.y[gru4j::global_thread() + 1] = p.x[gru4j::global_thread()];
}

GRU4J_KERNEL(planted_write_in_front, 256, Vector, p) {
    p.y[gru4j::global_thread() - 1] = p.x[gru4j::global_thread()];
}

GRU4J_KERNEL(planted_read_far_past_end, 256, Vector, p) {
    p.y[gru4j::global_thread()] = p.x[gru4j::global_thread() + 8 * p.n];
}

GRU4J_KERNEL(planted_early_return, 256, Vector, p) {
    if (gru4j::thread_x() >= 40) {
        return;
    }
    gru4j::block_sync();
    p.y[gru4j::global_thread()] = 1.0f;
}

GRU4J_KERNEL(planted_two_places, 256, Vector, p) {
    if (gru4j::thread_x() < 32) {
        gru4j::block_sync();
    } else {
        gru4j::block_sync();
    }
    p.y[gru4j::global_thread()] = 1.0f;
}

GRU4J_KERNEL(planted_partial_warp, 256, Vector, p) {
    p.y[gru4j::global_thread()] = gru4j::warp_shuffle_xor(p.x[gru4j::global_thread()], 16);
}

GRU4J_KERNEL(planted_integer_overflow, 256, Vector, p) {
    int offset = 0x7fffffff - 100 + gru4j::thread_x();
    p.y[gru4j::global_thread()] = static_cast<float>(offset);
}
