// SPDX-License-Identifier: Apache-2.0
//
// One matrix product as a test: its operands, its launch, and plain loops in double that it is compared with.
#pragma once

#include "kernel_test.h"

#include <string>
#include <vector>

enum class Op { NT, NN, TN };

extern const char* const kOps[];

/// The ending of a kernel's name.
enum class Precision { F32, TF32, TF32X3, BF16, FP16 };

extern const char* const kPrecisions[];
extern const Precision kReduced[4];

/// One product; lengths make rows padding, of C for nt and nn, of k for tn.
struct Product {
    Op op;
    int tile;
    int m, n, k;
    bool bias = false;
    bool accumulate = false;
    int splits = 1;
    int spare = 0;                 // floats between the rows of every matrix
    std::vector<int> lengths = {}; // batch = its size
    int first_step = 0;
    Precision precision = Precision::F32;
};

/**
 * What a multiplication takes of an operand: value = parts[0] + parts[1] + an error. Only 3xtf32 has a second part. By
 * arithmetic on the numbers, where kernels and emulator work on their bits.
 */
struct Rounded {
    double parts[2];
    bool is_split;

    Rounded(Precision precision, float value);
    /// The products of parts that are added up.
    double times(const Rounded& other) const;
};

/// The tensors and the launch of args, whose sizes, strides and pointers are set.
void launch_product(Op op, int tile, Precision precision, const GruGemm& args, int splits = 1);

/// Runs the product on seeded operands, in any order of threads, and compares it with plain loops on rounded operands.
void check(const Product& p);
