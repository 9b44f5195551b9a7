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
 *   <li>{@code CudaUploads}, {@code CudaDownloads}, {@code CudaReadback}: copies between host and device, through
 *       page-locked memory;
 *   <li>{@code CudaDirections}, {@code CudaStreams}: how two directions of a layer run side by side;
 *   <li>{@code CudaGraphs}, {@code CudaRecorder}: when a pass is recorded, and launched as one
 *       ({@code -Dgru4j.cuda.graphs=true|false});
 *   <li>{@code CudaSession}: one device context, its streams, graphs and memory; every return code is looked at there.
 * </ul>
 *
 * <p>Streams: work is enqueued on the main one, so it is done in the order of the calls, uploads and downloads
 * included. The second of two directions may have the side stream ({@code CudaStreams}), which leaves the main one and
 * comes back to it within a pass. In the copy stream the bytes of uploads cross the bus while earlier work goes on; which
 * events keep it and the main one apart is written at {@code CudaUploads}. The host waits only for results that
 * somebody asks for.
 *
 * <p>Graphs: what a call enqueues is a function of its shape, of which tensors it has, of where they lie and of whether a
 * row is padded; lengths and the draw of dropout masks are copied to the device in one piece and read there. So the
 * stepwise kernels of a call that comes again, hundreds of launches, are one launch of a graph.
 *
 * <p>Any thread may call: the context is pushed and popped around each call. With {@code -Dgru4j.cuda.emulator=true}
 * the same kernels run on the CPU, for tests; the backend then calls itself emulated.
 *
 * <p>On the class path only: JCuda does not work as a module.
 */
@NullMarked
package dev.gru4j.cuda;

import org.jspecify.annotations.NullMarked;
