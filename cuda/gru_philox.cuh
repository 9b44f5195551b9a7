// SPDX-License-Identifier: Apache-2.0
//
// Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011), the twin of dev.gru4j.Philox:
// same counters, same bits.
#pragma once

#include "gru_device.cuh"

struct GruPhiloxWords {
    unsigned v[4];
};

/// The block of four words at `counter` under `key`.
GRU4J_HOST_DEVICE GruPhiloxWords gru_philox(GruPhiloxWords counter, unsigned long long key) {
    unsigned k0 = static_cast<unsigned>(key);
    unsigned k1 = static_cast<unsigned>(key >> 32);
    GRU4J_UNROLL
    for (int round = 0; round < 10; round++) {
        const unsigned long long product0 = 0xD2511F53ull * counter.v[0];
        const unsigned long long product1 = 0xCD9E8D57ull * counter.v[2];
        counter = {{static_cast<unsigned>(product1 >> 32) ^ counter.v[1] ^ k0, static_cast<unsigned>(product1),
                    static_cast<unsigned>(product0 >> 32) ^ counter.v[3] ^ k1, static_cast<unsigned>(product0)}};
        k0 += 0x9E3779B9u; // golden ratio
        k1 += 0xBB67AE85u; // √3 − 1
    }
    return counter;
}

/// The upper 24 bits of a word as a float in [0, 1).
GRU4J_HOST_DEVICE float gru_unit_interval(unsigned word) {
    return static_cast<float>(word >> 8) * 0x1p-24f;
}
