/** DJL's PyTorch engine: the GRU that a Java program gets from it. */
@NullMarked
package dev.gru4j.benchmarks.peers.djl;

import org.jspecify.annotations.NullMarked;
