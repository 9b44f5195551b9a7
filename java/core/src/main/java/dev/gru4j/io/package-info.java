/**
 * Weight files. {@link dev.gru4j.io.SafetensorsFile} reads and {@link dev.gru4j.io.SafetensorsWriter}
 * writes safetensors, the format of named tensors that PyTorch users exchange: no code in it, one JSON
 * header, raw little-endian data that can be memory-mapped. Reading is strict: what breaks a rule of the
 * format is an error, never a guess. This package depends on no other of the library.
 */
@NullMarked
package dev.gru4j.io;

import org.jspecify.annotations.NullMarked;
