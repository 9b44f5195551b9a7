// SPDX-License-Identifier: Apache-2.0
//
// The persistent kernels with weights in registers once more, with few of them: so a layer of 140 units has weights in
// registers and in shared memory, as one of a thousand has with the library's kernels.

#include "gru_persistent_backward.cuh"
#include "gru_persistent_forward.cuh"
#include "gru_persistent_registers.cuh"

// TEST_PANEL of persistent_layer.h
GRU4J_KERNEL_ALONE(gru_persistent_forward_reset_after_16x16_f32_test, GRU_PERSISTENT_THREADS, GruPersistentForward, p) {
    gru_persistent_forward<GruRegisterForwardProducts<128>, false>(p);
}
GRU4J_KERNEL_ALONE(gru_persistent_forward_reset_before_16x16_f32_test, GRU_PERSISTENT_THREADS, GruPersistentForward,
                   p) {
    gru_persistent_forward<GruRegisterForwardProducts<128>, true>(p);
}
GRU4J_KERNEL_ALONE(gru_persistent_backward_reset_after_16x16_f32_test, GRU_PERSISTENT_THREADS, GruPersistentBackward,
                   p) {
    gru_persistent_backward<GruRegisterBackwardProducts<false, 128>, false>(p);
}
GRU4J_KERNEL_ALONE(gru_persistent_backward_reset_before_16x16_f32_test, GRU_PERSISTENT_THREADS, GruPersistentBackward,
                   p) {
    gru_persistent_backward<GruRegisterBackwardProducts<true, 128>, true>(p);
}
