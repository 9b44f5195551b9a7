/** ONNX Runtime's GRU operator, on a model of one node that is written here. */
@NullMarked
package dev.gru4j.benchmarks.peers.onnxruntime;

import org.jspecify.annotations.NullMarked;
