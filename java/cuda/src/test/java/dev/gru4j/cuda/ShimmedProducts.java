package dev.gru4j.cuda;

import dev.gru4j.backend.BackendOptions;
import dev.gru4j.backend.FloatMemory;
import dev.gru4j.backend.GruBackend;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/**
 * What {@link CublasShimTest} runs in a JVM of its own, since one is bound to the first cuBLAS it loads: a dense
 * layer, then a function that the library behind the shim lacks.
 */
final class ShimmedProducts {
    private ShimmedProducts() {}

    @SuppressWarnings({"restricted", "SystemOut"}) // The shim's own functions; the test reads the lines.
    public static void main(String[] args) throws Throwable {
        try (GruBackend backend = new CudaBackendProvider().open(BackendOptions.DEFAULT);
                FloatMemory x = backend.allocate(6);
                FloatMemory weight = backend.allocate(6);
                FloatMemory bias = backend.allocate(2);
                FloatMemory y = backend.allocate(4)) {
            System.out.println(backend.description());
            x.upload(new float[] {1, 2, 3, 4, 5, 6});
            weight.upload(new float[] {1, 0, 1, 0, 1, -1});
            bias.upload(new float[] {0.5f, 10});
            backend.trainingKernels().denseForward(x, weight, bias, 2, 3, 2, y);
            System.out.println(Arrays.toString(y.toArray()));
        }
        // The shim bears this name for everybody who asks now.
        SymbolLookup shim = SymbolLookup.libraryLookup("libcublas.so.12", Arena.global());
        int status = (int) Linker.nativeLinker()
                .downcallHandle(shim.findOrThrow("cublasZtrsm_v2"), FunctionDescriptor.of(ValueLayout.JAVA_INT))
                .invokeExact();
        System.out.println("status " + status);
    }
}
