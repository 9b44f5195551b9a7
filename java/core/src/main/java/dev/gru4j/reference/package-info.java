/**
 * The equations of the GRU and nothing else: scalar loops that refuse to be clever, in double or, with
 * every intermediate rounded, in float, the operands of matrix products in any
 * {@link dev.gru4j.backend.ProductPrecision}. Every other backend is measured against this one.
 */
@NullMarked
package dev.gru4j.reference;

import org.jspecify.annotations.NullMarked;
