// SPDX-License-Identifier: Apache-2.0
//
// The persistent kernels with weights in registers against the stepwise ones, bit for bit.
#include "persistent_layer.h"

namespace {

void check_variants(int T, int B, int H, const std::vector<int>& lengths, const Division& division,
                    const std::string& kernels = "f32") {
    for (bool reset_before : {false, true}) {
        check_persistent({T, B, H, reset_before, !reset_before, lengths}, division, true, kernels);
    }
}

} // namespace

/// All weights in registers: idle segments, idle lanes of units, fewer rows than segments and more than a tile.
TEST(a_persistent_layer_in_registers_gives_the_bits_of_the_stepwise_one) {
    check_variants(1, 1, 1, {}, {16, 16, 1, 1});
    check_variants(3, 7, 19, {}, {16, 16, 13, 7});
    check_variants(2, 21, 40, {}, {16, 16, 16, 19});
    check_persistent({2, 2, 9, false, false, {}}, {16, 16, 8, 2}, false);
}

/// The sums go on with weights in shared memory: just past the panels, past a stage; up to 8 rows and more; quads that are
/// aligned and that are not.
TEST(a_persistent_layer_in_registers_and_shared_memory_gives_the_same_bits) {
    check_variants(2, 9, 140, {}, {16, 16, 16, 9}, "f32_test");
    check_variants(2, 2, 261, {}, {16, 16, 16, 2}, "f32_test");
}

TEST(a_persistent_layer_in_registers_with_lengths_gives_the_same_bits_and_reads_no_padding) {
    // The first tile of the group ends before the second.
    check_variants(4, 18, 9, {1, 1, 0, 1, 2, 1, 1, 1, 2, 1, 1, 1, 1, 2, 1, 1, 4, 3}, {16, 16, 9, 18});
    check_variants(5, 4, 12, {2, 0, 3, 1}, {16, 16, 8, 2}); // no row has all steps, groups end at different ones
}
