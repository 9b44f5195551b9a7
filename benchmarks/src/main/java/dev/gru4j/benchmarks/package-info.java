/**
 * What the backends reach, measured with JMH: {@link dev.gru4j.benchmarks.PeakBenchmark} the processor's
 * multiply-add peak, {@link dev.gru4j.benchmarks.StageBenchmark} the training kernels,
 * {@link dev.gru4j.benchmarks.GruBenchmark} whole sequences, and {@link dev.gru4j.benchmarks.Table} all of it
 * on one page. On a GPU host, {@link dev.gru4j.benchmarks.SequenceTimes} measures with the device's own clock and
 * {@link dev.gru4j.benchmarks.RunReport} makes the tables. The README has the command lines.
 */
@NullMarked
package dev.gru4j.benchmarks;

import org.jspecify.annotations.NullMarked;
