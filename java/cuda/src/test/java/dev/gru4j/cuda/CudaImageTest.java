package dev.gru4j.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Test;

/** Which of the packed kernels a device gets. */
class CudaImageTest {
    private static final int NEW_DRIVER = 13000;
    private static final int OLD_DRIVER = 12080;

    @Test
    void machineCodeOfTheSameGenerationComesBeforePtx() {
        assertEquals(
                List.of("sm_86.cubin", "sm_80.cubin", "compute_80.ptx", "compute_75.ptx"),
                CudaImage.names(86, NEW_DRIVER));
        assertEquals(List.of("sm_90.cubin", "compute_80.ptx", "compute_75.ptx"), CudaImage.names(90, NEW_DRIVER));
        assertEquals(List.of("sm_120.cubin", "compute_80.ptx", "compute_75.ptx"), CudaImage.names(121, NEW_DRIVER));
    }

    @Test
    void aDriverOlderThanTheCompilerGetsPtx() {
        assertEquals(List.of("compute_80.ptx", "compute_75.ptx"), CudaImage.names(90, OLD_DRIVER));
    }

    @Test
    void aGenerationWithoutMachineCodeGetsPtx() {
        assertEquals(List.of("compute_80.ptx", "compute_75.ptx"), CudaImage.names(130, NEW_DRIVER));
    }

    @Test
    void aDeviceOlderThanTheTensorCoresOfAllPrecisionsGetsThePtxWithoutThem() {
        assertEquals(List.of("compute_75.ptx"), CudaImage.names(75, NEW_DRIVER));
    }
}
