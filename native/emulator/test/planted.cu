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

namespace {

// x: of each lane a[4], b[2], d[4]; y: of each lane d[4] of the multiply-add.
template <typename Multiply> GRU4J_DEVICE void test_mma(const Vector& p, Multiply mma) {
    const float* x = p.x + 10 * gru4j::global_thread();
    unsigned a[4];
    unsigned b[2];
    float d[4];
    memcpy(a, x, sizeof a);
    memcpy(b, x + 4, sizeof b);
    memcpy(d, x + 6, sizeof d);
    mma(d, a, b);
    memcpy(p.y + 4 * gru4j::global_thread(), d, sizeof d);
}

} // namespace

GRU4J_KERNEL(test_mma_tf32, 64, Vector, p) {
    test_mma(p, [](auto& d, auto& a, auto& b) { gru4j::mma_tf32(d, a, b); });
}

GRU4J_KERNEL(test_mma_bf16, 64, Vector, p) {
    test_mma(p, [](auto& d, auto& a, auto& b) { gru4j::mma_bf16(d, a, b); });
}

GRU4J_KERNEL(test_mma_fp16, 64, Vector, p) {
    test_mma(p, [](auto& d, auto& a, auto& b) { gru4j::mma_fp16(d, a, b); });
}

// y: of each x as tf32, of it and the next one as pairs in bf16 and fp16, its big and its small part.
GRU4J_KERNEL(test_round, 256, Vector, p) {
    const int i = gru4j::thread_x();
    const float first = p.x[i];
    const float second = p.x[(i + 1) % gru4j::threads_x()];
    unsigned words[5] = {gru4j::to_tf32(first), gru4j::to_bf16x2(first, second), gru4j::to_fp16x2(first, second), 0, 0};
    gru4j::split_tf32(first, words[3], words[4]);
    memcpy(p.y + 5 * i, words, sizeof words);
}

GRU4J_KERNEL(planted_partial_warp_mma, 256, Vector, p) {
    float d[4] = {};
    const unsigned a[4] = {};
    const unsigned b[2] = {};
    gru4j::mma_tf32(d, a, b);
    p.y[gru4j::global_thread()] = d[0];
}

GRU4J_KERNEL(planted_missing_lane, 256, Vector, p) {
    float d[4] = {};
    const unsigned a[4] = {};
    const unsigned b[2] = {};
    if (gru4j::thread_x() != 43) {
        gru4j::mma_tf32(d, a, b);
    }
    p.y[gru4j::global_thread()] = d[0];
}
