/**
 * The comparison of gru4j with other libraries: contenders, each in a process of its own, run the same cells on the same
 * data, are checked against the reference in double, and take turns on the clock.
 */
@NullMarked
package dev.gru4j.benchmarks.comparison;

import org.jspecify.annotations.NullMarked;
