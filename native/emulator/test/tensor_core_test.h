// SPDX-License-Identifier: Apache-2.0
//
// Tests of the emulated tensor cores. Each throws where something is wrong.
#pragma once

namespace gru4j::emulator {

void fragments_lie_in_the_lanes_as_ptx_has_them();
void a_multiply_add_adds_exactly_and_truncates();
void operands_are_rounded_to_nearest();
void kernels_round_pairs_and_split_numbers();

} // namespace gru4j::emulator
