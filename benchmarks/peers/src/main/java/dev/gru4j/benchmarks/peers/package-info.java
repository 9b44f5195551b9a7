/**
 * Other people's libraries as contenders of the comparison, a package each. All tensors come in and go out in gru4j's
 * layouts; conversions happen outside what is timed, unless a training step of that library has to repeat them.
 */
@NullMarked
package dev.gru4j.benchmarks.peers;

import org.jspecify.annotations.NullMarked;
