/**
 * The GRU backend on NVIDIA GPUs. From top to bottom:
 *
 * <ul>
 *   <li>{@link dev.gru4j.cuda.CudaBackendProvider}: whether it can run here, and if not, why;
 *   <li>{@code CudaBackend}, {@code CudaPlan}, {@code CudaForward}, {@code CudaBackward},
 *       {@code CudaTrainingKernels}: which kernels are launched, in what order, on what memory;
 *   <li>{@code CudaKernels}, {@code CudaArguments}: the kernels of {@code cuda/} and the layout of their arguments;
 *   <li>{@code Products}: who computes the large products, {@code CublasProducts} where {@code CublasLibrary} finds a
 *       cuBLAS, else our own kernels ({@code -Dgru4j.cuda.cublas=auto|none|PATH});
 *   <li>{@code CudaProduct}: a product in the session's precision
 *       ({@code -Dgru4j.cuda.precision=fp32|tf32|3xtf32|bf16|fp16} where the options leave it open);
 *   <li>{@code CudaSession}: one device context and one stream; every return code is looked at there.
 * </ul>
 *
 * <p>Everything is enqueued on one stream, so work is done in the order of the calls. Any thread may call:
 * the context is pushed and popped around each call. With {@code -Dgru4j.cuda.emulator=true} the same
 * kernels run on the CPU, for tests; the backend then calls itself emulated.
 *
 * <p>On the class path only: JCuda does not work as a module.
 */
@NullMarked
package dev.gru4j.cuda;

import org.jspecify.annotations.NullMarked;
