// SPDX-License-Identifier: Apache-2.0
//
// The persistent kernels against the stepwise ones, bit for bit: after layer_test.cpp has shown that those are right, and
// because a plan may choose either.
#include "persistent_layer.h"

#include <stdio.h>

namespace {

/// ThreadSanitizer has a clock for each thread of all blocks, and an entry for each of them in each clock: its time grows
/// with the square of the blocks. A barrier or a meeting that is missing shows with few.
constexpr unsigned kMostBlocks = kUnderThreadSanitizer ? 10 : 1000;

} // namespace

void check_persistent(const Sequence& s, const Division& division, bool with_bias, const std::string& kernels) {
    if (parts(s.H, division.units) * parts(s.B, division.rows) > kMostBlocks) {
        printf("left out, more than %u blocks: %s %s\n", kMostBlocks, kernels.c_str(), describe(s, division).c_str());
        return;
    }
    Layer stepwise(s, with_bias, kernels);
    stepwise.run_stepwise();
    const std::string of = kernels + " " + describe(s, division);
    in_any_order(
        [&] {
            Layer persistent(s, with_bias, kernels);
            persistent.run_persistent(division);
            persistent.expect_same_results(of, stepwise);
            return persistent.results();
        },
        true);
    const std::vector<float> states = stepwise.states.values();
    in_any_order(
        [&] {
            Layer inference(s, with_bias, kernels);
            const std::vector<float> hT = inference.run_inference(division);
            expect_same_bits({of + "hT in inference", {{'b', s.B}, {'j', s.H}}}, hT,
                             std::vector<float>(states.end() - static_cast<long>(stepwise.state), states.end()));
            expect_same_bits({of + "y in inference", {{'t', s.T}, {'b', s.B}, {'j', s.H}}}, inference.y.values(),
                             stepwise.y.values());
            return hT;
        },
        true);
}

namespace {

void check_variants(int T, int B, int H, const std::vector<int>& lengths, const Division& division) {
    for (bool reset_before : {false, true}) {
        for (bool reverse : {false, true}) {
            check_persistent({T, B, H, reset_before, reverse, lengths}, division);
        }
    }
}

} // namespace

TEST(a_persistent_layer_of_one_block_gives_the_bits_of_the_stepwise_one) {
    check_variants(1, 1, 1, {}, {8, 8, 1, 1});
    check_variants(4, 3, 7, {}, {8, 8, 8, 3});
}

/// Blocks with fewer units than the others, groups with fewer rows, tiles with fewer rows.
TEST(a_persistent_layer_divides_units_and_rows_as_it_is_told) {
    check_variants(3, 11, 21, {}, {8, 8, 8, 9});
    check_variants(3, 11, 21, {}, {8, 8, 5, 4});
    check_persistent({2, 37, 19, false, false, {}}, {16, 32, 13, 34});
    check_persistent({2, 37, 19, true, false, {}}, {16, 32, 13, 34});
    check_persistent({2, 13, 19, true, true, {}}, {16, 8, 10, 13});
    check_persistent({2, 33, 19, false, true, {}}, {8, 32, 8, 33});
}

/// Past one stage of 512 k (8 rows; backward, where k is 2H or 3H) and of 128 k (32 rows). Not wider: ThreadSanitizer has
/// no more than 8128 threads.
TEST(a_persistent_layer_may_be_wider_than_a_stage) {
    check_persistent({2, 2, 260, false, false, {}}, {16, 8, 16, 2});
    check_persistent({2, 2, 260, true, false, {}}, {16, 8, 16, 2});
    check_persistent({2, 3, 140, false, true, {}}, {8, 32, 8, 3});
    check_persistent({2, 3, 140, true, true, {}}, {8, 32, 8, 3});
}

TEST(a_persistent_layer_with_lengths_gives_the_same_bits_and_reads_no_padding) {
    check_variants(6, 5, 19, {3, 0, 6, 1, 5}, {8, 8, 8, 5});
    check_variants(5, 4, 12, {2, 0, 3, 1}, {8, 8, 8, 2}); // no row has all steps, groups end at different ones
    // The first tile of the group ends before the second.
    check_variants(4, 10, 9, {1, 1, 0, 1, 2, 1, 1, 1, 4, 3}, {8, 8, 8, 10});
    check_variants(3, 2, 9, {0, 0}, {8, 8, 8, 2});
}

TEST(a_persistent_layer_without_bias_gives_the_same_bits) {
    check_persistent({3, 2, 9, false, false, {}}, {8, 8, 8, 2}, false);
    check_persistent({3, 2, 9, true, true, {2, 3}}, {8, 8, 8, 2}, false);
}

TEST(a_layer_without_steps_leaves_everything_as_it_is) {
    check_variants(0, 2, 9, {}, {8, 8, 8, 2});
}

/// A group whose blocks are not all there waits for the missing one for ever: that must be seen, not hang.
TEST(blocks_that_wait_for_one_that_is_not_there_are_reported) {
    const Sequence s = {2, 1, 9, false, false, {}};
    Layer layer(s, true);
    Tensor<unsigned> flags(std::vector<unsigned>(GRU_FLAG_STRIDE, 0));
    const GruPersistentForward args = {layer.w_hh.at(),
                                       nullptr,
                                       layer.gx.at(),
                                       layer.states.at(),
                                       layer.gates.at(),
                                       layer.y.at(),
                                       nullptr,
                                       flags.at(),
                                       s.H,
                                       s.T + 1,
                                       s.T,
                                       s.T,
                                       s.B,
                                       s.H,
                                       0,
                                       8,
                                       1};
    const long long shared = gru_persistent_shared_bytes(false, false, 8, 8, 1, s.H);
    const std::string failure = failure_of([&] {
        // Not cooperative: the second block would run when the first has ended.
        launch("gru_persistent_forward_reset_after_8x8_f32", &args, sizeof args, 2, 1, 1, GRU_PERSISTENT_THREADS,
               static_cast<size_t>(shared));
    });
    if (failure.find("for a flag that is 1 to reach 2") == std::string::npos) {
        fail("'" + failure + "' does not say who waits for what");
    }
}
