/**
 * The command line: train, sample, translate, forecast, backends, plan. Results go to standard output, progress
 * and errors to standard error; exit status 0 success, 1 failure, 2 wrong arguments, 130 stopped by Ctrl-C.
 */
@NullMarked
package dev.gru4j.cli;

import org.jspecify.annotations.NullMarked;
