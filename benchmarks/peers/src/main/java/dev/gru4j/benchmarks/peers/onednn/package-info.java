/** oneDNN's {@code lbr_gru} and {@code vanilla_gru}, by its C interface as JavaCPP hands it on. */
@NullMarked
package dev.gru4j.benchmarks.peers.onednn;

import org.jspecify.annotations.NullMarked;
