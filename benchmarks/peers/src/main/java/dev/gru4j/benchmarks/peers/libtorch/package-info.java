/** libtorch by JavaCPP: PyTorch's GRU and its autograd, on OpenBLAS and on MKL. */
@NullMarked
package dev.gru4j.benchmarks.peers.libtorch;

import org.jspecify.annotations.NullMarked;
