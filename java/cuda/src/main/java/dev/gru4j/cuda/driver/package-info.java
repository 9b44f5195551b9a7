/**
 * The CUDA driver as the cuda backend sees it. {@link dev.gru4j.cuda.driver.CudaDriver} and
 * {@link dev.gru4j.cuda.driver.Cublas} list the calls that are used; behind it lies JCuda, in a class loader of its own, which is how its native library
 * comes out of a private folder: JCuda alone would extract it under a fixed name to
 * {@code java.io.tmpdir}, use whatever lies there, and never delete it. Nothing else imports JCuda.
 */
@NullMarked
package dev.gru4j.cuda.driver;

import org.jspecify.annotations.NullMarked;
