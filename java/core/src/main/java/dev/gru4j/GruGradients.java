package dev.gru4j;

/**
 * What a backward returns, in arrays of its own.
 *
 * @param dx gradient of x (T,B,I), 0 in padding
 * @param dh0 gradient of h0 (L·D,B,H), direction fastest
 * @param dParameters gradients of all parameters, as one row ({@link GruWeights#values()}) or by name
 *     ({@link GruWeights#get(String)})
 */
@SuppressWarnings("ArrayRecordComponent") // Tensors, told apart by identity; nobody compares gradients.
public record GruGradients(float[] dx, float[] dh0, GruWeights dParameters) {}
