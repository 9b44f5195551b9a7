package dev.gru4j.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.gru4j.backend.ProductPrecision;
import dev.gru4j.cuda.CudaKernels.Kernel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What Java knows of the kernels is what their header says. */
class CudaKernelsTest {
    private static final Path FOLDER = Path.of("..", "..", "cuda");

    @ParameterizedTest
    @EnumSource(ProductPrecision.class)
    void aProductIsNamedByItsFormItsTileAndItsPrecision(ProductPrecision precision) {
        String ending = precision == ProductPrecision.FP32 ? "f32" : precision.toString();
        for (CudaProduct.Form form : CudaProduct.Form.values()) {
            String name = "gru_gemm_" + form.name().toLowerCase(Locale.ROOT) + "_";
            assertEquals(name + "128x128_" + ending, Kernel.product(form, CudaProduct.LARGE_TILE, precision).symbol());
            assertEquals(name + "32x32_" + ending, Kernel.product(form, CudaProduct.SMALL_TILE, precision).symbol());
            assertEquals(precision, Kernel.product(form, CudaProduct.SMALL_TILE, precision).precision());
        }
    }

    @Test
    void everyKernelOfTheHeaderIsKnownWithTheSizeOfItsArguments() throws IOException {
        String arguments = Files.readString(FOLDER.resolve("gru_arguments.h"));
        Map<String, Integer> sizes = new LinkedHashMap<>();
        Matcher size = Pattern.compile("GRU_SIZE\\((\\w+), (\\d+)\\)").matcher(arguments);
        while (size.find()) {
            sizes.put(size.group(1), Integer.valueOf(size.group(2)));
        }
        String kernels = Files.readString(FOLDER.resolve("gru_kernels.h"));
        Map<String, Integer> expected = new LinkedHashMap<>();
        Matcher kernel = Pattern.compile("KERNEL\\((gru_\\w+), (\\w+)\\)").matcher(kernels);
        while (kernel.find()) {
            expected.put(kernel.group(1), Objects.requireNonNull(sizes.get(kernel.group(2)), kernel.group(2)));
        }
        Map<String, Integer> found = new LinkedHashMap<>();
        for (Kernel known : Kernel.values()) {
            found.put(known.symbol(), known.argumentBytes());
        }
        assertEquals(expected, found);
    }
}
