package dev.gru4j;

/**
 * What a forward returns, in arrays of its own.
 *
 * @param y states of the last layer (T,B,D·H), 0 in padding
 * @param hT state after each row's last valid step (L·D,B,H), direction fastest; h0 where the length is 0
 */
@SuppressWarnings("ArrayRecordComponent") // Tensors, told apart by identity; nobody compares outputs.
public record GruOutput(float[] y, float[] hT) {}
