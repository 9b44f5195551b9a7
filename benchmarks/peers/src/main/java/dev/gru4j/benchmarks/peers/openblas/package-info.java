/** OpenBLAS, which has no GRU: the matrix products of one, alone. */
@NullMarked
package dev.gru4j.benchmarks.peers.openblas;

import org.jspecify.annotations.NullMarked;
