/**
 * Data sets that need no download, readers for the user's own data, and the baselines that a model has to
 * beat. Everything here is deterministic: splits come from a hash of the item, never from a random number.
 */
@NullMarked
package dev.gru4j.training.data;

import org.jspecify.annotations.NullMarked;
