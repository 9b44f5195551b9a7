@NullMarked
package dev.gru4j.simd;

import org.jspecify.annotations.NullMarked;
