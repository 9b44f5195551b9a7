/**
 * The one parity suite: every backend, shape and option against the double run of the reference.
 *
 * <p>Reading order: {@link dev.gru4j.parity.Subject} (who is tested), {@link dev.gru4j.parity.Factor} and
 * {@link dev.gru4j.parity.GruCases} (on what), {@link dev.gru4j.parity.Tolerance} (how close is close enough, and
 * why), {@link dev.gru4j.parity.GruParityTest} (the suite), {@link dev.gru4j.parity.PlantedErrorsTest} and
 * {@link dev.gru4j.parity.PlantedRoundingsTest} (who tests the test), {@link dev.gru4j.parity.ClosingTable} (what came out).
 *
 * <p>System properties, given to mvn or to the test JVM:
 *
 * <ul>
 *   <li>{@code gru4j.parity=quick|full}: which shape files are run in fp32; quick is the default. The reduced
 *       precisions run {@code reduced.shapes}
 *   <li>{@code gru4j.require=simd,cuda}: backends that must run; a skip of theirs is a failure
 *   <li>{@code gru4j.case='simd/256 backward T7 B3 I13 H29 variant=reset_before'}: this one case; subject and phase
 *       may be left out, and so may options that have their default
 * </ul>
 */
@NullMarked
package dev.gru4j.parity;

import org.jspecify.annotations.NullMarked;
