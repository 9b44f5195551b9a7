// SPDX-License-Identifier: Apache-2.0
//
// The persistent kernels on tensor cores against the stepwise ones of the same precision, bit for bit. What the
// precisions do not share is how a lane keeps a chunk (gru_mma_chunk.cuh), so shapes that are about anything else run in
// one of them.
#include "persistent_layer.h"

namespace {

void check_variants(int T, int B, int H, const std::vector<int>& lengths, const Division& division,
                    const std::string& kernels) {
    for (bool reset_before : {false, true}) {
        check_persistent({T, B, H, reset_before, reset_before, lengths}, division, true, kernels);
    }
}

} // namespace

/// A row, a unit and a step; rows on both sides of the first eight; k that is not aligned.
TEST(a_persistent_layer_on_tensor_cores_has_the_bits_of_the_stepwise_one_in_every_precision) {
    for (const char* precision : {"tf32", "3xtf32", "bf16", "fp16"}) {
        check_variants(1, 1, 1, {}, {8, 16, 1, 1}, precision);
        check_variants(3, 9, 7, {}, {8, 16, 8, 9}, precision);
        check_variants(2, 2, 20, {}, {16, 16, 16, 2}, precision);
    }
}

/// Blocks with fewer units than the others, groups with fewer rows, tiles with fewer rows and with an empty half.
TEST(a_persistent_layer_on_tensor_cores_divides_units_and_rows_as_it_is_told) {
    check_variants(3, 11, 21, {}, {8, 16, 8, 9}, "bf16");
    check_variants(3, 11, 21, {}, {8, 16, 5, 4}, "fp16");
    check_variants(2, 37, 18, {}, {16, 32, 13, 34}, "bf16");
    check_variants(2, 35, 9, {}, {8, 32, 8, 35}, "tf32");
    check_variants(2, 18, 18, {}, {16, 16, 10, 18}, "3xtf32");
}

/// One k past a chunk, one chunk past those of all warps, and one more than a warp keeps on its way.
TEST(a_persistent_layer_on_tensor_cores_ends_anywhere_in_the_chunks_of_its_warps) {
    check_variants(2, 2, 17, {}, {8, 16, 8, 2}, "bf16");
    check_variants(2, 2, 130, {}, {16, 16, 16, 2}, "fp16");
    check_variants(2, 2, 129, {}, {16, 32, 16, 2}, "tf32");
    check_persistent({2, 2, 274, false, false, {}}, {16, 32, 16, 2}, true, "bf16");
}

/// Forward past one chunk of each warp, backward past three.
TEST(a_persistent_layer_on_tensor_cores_keeps_weights_in_registers_and_in_shared_memory) {
    check_variants(2, 2, 150, {}, {16, 16, 16, 2}, "bf16_test");
    check_variants(2, 2, 150, {}, {16, 32, 16, 2}, "tf32_test");
    check_variants(2, 2, 150, {}, {16, 16, 16, 2}, "3xtf32_test");
}

TEST(a_persistent_layer_on_tensor_cores_with_lengths_has_the_same_bits_and_reads_no_padding) {
    check_variants(6, 5, 19, {3, 0, 6, 1, 5}, {8, 16, 8, 5}, "bf16");
    check_variants(5, 4, 12, {2, 0, 3, 1}, {8, 16, 8, 2}, "tf32"); // no row has all steps, groups end at different ones
    // The first tile of the group ends before the second.
    std::vector<int> lengths(18, 1);
    lengths[17] = 3;
    check_variants(4, 18, 9, lengths, {8, 16, 8, 18}, "bf16");
    check_variants(3, 2, 9, {0, 0}, {8, 16, 8, 2}, "3xtf32");
}

TEST(a_persistent_layer_on_tensor_cores_may_have_no_bias_and_no_steps) {
    check_persistent({3, 2, 9, false, false, {}}, {8, 16, 8, 2}, false, "bf16");
    check_persistent({3, 2, 9, true, true, {2, 3}}, {8, 16, 8, 2}, false, "tf32");
    check_variants(0, 2, 9, {}, {8, 16, 8, 2}, "bf16");
}
