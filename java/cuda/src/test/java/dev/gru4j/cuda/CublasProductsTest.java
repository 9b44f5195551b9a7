package dev.gru4j.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gru4j.backend.BackendOptions;
import dev.gru4j.backend.FloatMemory;
import dev.gru4j.backend.GruBackend;
import dev.gru4j.backend.ProductPrecision;
import dev.gru4j.backend.TrainingKernels;
import dev.gru4j.cuda.CudaProduct.Form;
import dev.gru4j.reference.Precision;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Large products through unmodified JCublas2 calls, answered by the stand-in for cuBLAS. */
class CublasProductsTest {
    private static final int ARCH_MISMATCH = 8;
    private static final int EXECUTION_FAILED = 13;

    @BeforeEach
    void needsTheEmulator() {
        Emulator.assumeBuilt();
    }

    @AfterEach
    void restore() {
        System.clearProperty(CublasLibrary.PROPERTY);
        Emulator.reset();
    }

    static Stream<Arguments> shapes() {
        return Stream.of(
                Arguments.of(1, 1, 1),
                Arguments.of(1, 7, 3),
                Arguments.of(5, 1, 3),
                Arguments.of(2, 3, 1),
                Arguments.of(3, 5, 7),
                Arguments.of(17, 9, 33),
                Arguments.of(8, 64, 31));
    }

    /** Rows of all three matrices are longer than they are wide, and what lies between them stays. */
    @ParameterizedTest
    @MethodSource("shapes")
    void everyFormReadsAndWritesRowByRow(int m, int n, int k) {
        everyForm(ProductPrecision.FP32, m, n, k);
    }

    /** What is compared with is made of rounded operands, so one that is not rounded shows. */
    @ParameterizedTest
    @EnumSource(names = {"TF32", "BF16", "FP16"})
    void aReducedPrecisionRoundsTheOperandsOfEveryForm(ProductPrecision precision) {
        everyForm(precision, 17, 9, 33);
    }

    private static void everyForm(ProductPrecision precision, int m, int n, int k) {
        try (CudaSession session = session(precision)) {
            for (Form form : Form.values()) {
                for (boolean accumulate : new boolean[] {false, true}) {
                    for (boolean biased : new boolean[] {false, true}) {
                        check(session, form, m, n, k, accumulate, biased);
                    }
                }
            }
        }
        assertEquals(0, Emulator.usedBytes(), "bytes after closing");
    }

    private static void check(CudaSession session, Form form, int m, int n, int k, boolean accumulate, boolean biased) {
        int aRows = form == Form.TN ? k : m;
        int bRows = form == Form.NT ? n : k;
        int lda = (form == Form.TN ? m : k) + 3;
        int ldb = (form == Form.NT ? k : n) + 1;
        int ldc = n + 2;
        float[] a = random(aRows * lda, 1);
        float[] b = random(bRows * ldb, 2);
        float[] c = random(m * ldc, 3);
        float[] bias = random(n, 4);
        if (!accumulate) {
            fillMatrix(c, m, n, ldc, Float.NaN); // what is overwritten must not be read
        }
        float[] expected = c.clone();
        double[] bound = new double[c.length];
        for (int i = 0; i < m; i++) {
            for (int j = 0; j < n; j++) {
                double sum = (accumulate ? c[i * ldc + j] : 0) + (biased ? bias[j] : 0);
                double size = Math.abs(sum) + 1;
                for (int p = 0; p < k; p++) {
                    double term = product(
                            session.precision(),
                            a[form == Form.TN ? p * lda + i : i * lda + p],
                            b[form == Form.NT ? j * ldb + p : p * ldb + j]);
                    sum += term;
                    size += Math.abs(term);
                }
                expected[i * ldc + j] = (float) sum;
                bound[i * ldc + j] = (k + 3) * 0x1p-24 * size;
            }
        }
        float[] found = c.clone();
        long[] addresses = {upload(session, a), upload(session, b), upload(session, c), upload(session, bias)};
        session.enter();
        try {
            new CudaProduct(session)
                    .of(form, m, n, k)
                    .a(addresses[0], lda)
                    .b(addresses[1], ldb)
                    .bias(biased ? addresses[3] : 0)
                    .into(addresses[2], ldc)
                    .accumulate(accumulate)
                    .runLarge();
        } finally {
            session.leave();
        }
        session.download(MemorySegment.ofArray(found), addresses[2]);
        Arrays.stream(addresses).forEach(session::free);
        for (int at = 0; at < c.length; at++) {
            String what = session.precision() + " " + form + " m" + m + " n" + n + " k" + k
                    + (accumulate ? " accumulated" : "")
                    + (biased ? " with bias" : "") + " at (" + at / ldc + "," + at % ldc + "): expected "
                    + expected[at] + ", found " + found[at] + ", bound " + bound[at];
            assertTrue(Math.abs(found[at] - expected[at]) <= bound[at], what);
        }
    }

    /** Exact: products of rounded operands have no more bits than a float, those of floats fit in a double. */
    private static double product(ProductPrecision precision, float a, float b) {
        return precision == ProductPrecision.FP32 ? (double) a * b : Precision.of(precision).product(a, b);
    }

    @Test
    void threeProductsOfTf32AreLeftToOwnKernels() {
        System.setProperty(CublasLibrary.PROPERTY, Emulator.cublas().toString());
        BackendOptions options = BackendOptions.DEFAULT.withPrecision(ProductPrecision.TF32X3);
        try (GruBackend backend = new CudaBackendProvider().open(options)) {
            String end = ", large products by own kernels (cuBLAS has none in 3xtf32)";
            assertTrue(backend.description().endsWith(end), backend.description());
        }
    }

    @Test
    void aProductInAReducedPrecisionThatFailsNamesIt() {
        try (CudaSession session = session(ProductPrecision.BF16)) {
            long address = session.allocate(64);
            Emulator.fail("cublasGemmEx", 1, EXECUTION_FAILED);
            session.enter();
            try {
                CudaProduct product = new CudaProduct(session)
                        .of(Form.NN, 2, 3, 2)
                        .a(address, 2)
                        .b(address, 3)
                        .into(address + 40, 3);
                CudaException e = assertThrows(CudaException.class, product::runLarge);
                assertTrue(
                        String.valueOf(e.getMessage())
                                .startsWith("cublasGemmEx in bf16: a product NN with m = 2, n = 3, k = 2:"
                                        + " CUBLAS_STATUS_EXECUTION_FAILED on "),
                        e::getMessage);
            } finally {
                session.leave();
            }
        }
    }

    @Test
    void theLibraryIsNamedAndNeverTakenForCublas() {
        try (GruBackend backend = Emulator.backendWithCublas()) {
            String end = ", large products by a stand-in for cuBLAS 12.6.0 (" + Emulator.cublas() + ")";
            assertTrue(backend.description().endsWith(end), backend.description());
        }
    }

    @Test
    void noneLeavesTheProductsToOwnKernels() {
        System.setProperty(CublasLibrary.PROPERTY, "none");
        try (GruBackend backend = Emulator.backend()) {
            String end = ", large products by own kernels (gru4j.cuda.cublas=none)";
            assertTrue(backend.description().endsWith(end), backend.description());
        }
    }

    @Test
    void theEmulatorNeverUsesALibraryThatIsNotNamed() {
        try (GruBackend backend = Emulator.backend()) {
            String end = ", large products by own kernels (the emulator's stand-in for cuBLAS is used only where"
                    + " gru4j.cuda.cublas names it)";
            assertTrue(backend.description().endsWith(end), backend.description());
        }
    }

    @Test
    void aLibraryThatDoesNotExistMakesTheBackendUnavailable() {
        System.setProperty(CublasLibrary.PROPERTY, "/nowhere/libcublas.so.12");
        assertEquals(
                "gru4j.cuda.cublas names /nowhere/libcublas.so.12, which does not exist (name libcublas.so.12, .13 or"
                        + " .11, or leave the property out)",
                new CudaBackendProvider().availability().toString());
    }

    @Test
    void aNamedLibraryThatRefusesTheDeviceIsReportedAndNothingStays() {
        Emulator.fail("cublasCreate_v2", 1, ARCH_MISMATCH);
        IllegalStateException e = assertThrows(IllegalStateException.class, Emulator::backendWithCublas);
        assertEquals(
                "gru4j.cuda.cublas=" + Emulator.cublas() + ": cublasCreate with " + Emulator.cublas()
                        + " answers CUBLAS_STATUS_ARCH_MISMATCH",
                e.getMessage());
        assertEquals(0, Emulator.usedBytes());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "cublasGetVersion_v2",
                "cublasSetStream_v2",
                "cublasSetWorkspace_v2",
                "cublasSetAtomicsMode",
                "cublasSetMathMode"
            })
    void aLibraryThatCannotBeSetUpLeavesNothingBehind(String function) {
        Emulator.fail(function, 1, EXECUTION_FAILED);
        IllegalStateException e = assertThrows(IllegalStateException.class, Emulator::backendWithCublas);
        assertTrue(String.valueOf(e.getMessage()).endsWith(" answers CUBLAS_STATUS_EXECUTION_FAILED"), e::getMessage);
        assertEquals(0, Emulator.usedBytes());
    }

    @Test
    void aProductThatFailsNamesItsSizes() {
        try (GruBackend backend = Emulator.backendWithCublas();
                FloatMemory x = backend.allocate(6);
                FloatMemory weight = backend.allocate(15);
                FloatMemory y = backend.allocate(10)) {
            Emulator.fail("cublasSgemm_v2", 1, EXECUTION_FAILED);
            TrainingKernels kernels = backend.trainingKernels();
            CudaException e =
                    assertThrows(CudaException.class, () -> kernels.denseForward(x, weight, null, 2, 3, 5, y));
            assertEquals(EXECUTION_FAILED, e.code());
            assertTrue(
                    String.valueOf(e.getMessage())
                            .startsWith("cublasSgemm: a product NT with m = 2, n = 5, k = 3:"
                                    + " CUBLAS_STATUS_EXECUTION_FAILED on "),
                    e::getMessage);
        }
    }

    /** cuBLAS multiplies whatever a padded row holds, and 0 · NaN is NaN. */
    @Test
    void aProductWithPaddingIsLeftToOwnKernels() {
        try (CudaSession session = session()) {
            float[] a = random(6 * 4, 1);
            float[] b = random(6 * 5, 2);
            Arrays.fill(a, 3 * 4, 4 * 4, Float.NaN); // position (1,1) of T = 3, B = 2
            Arrays.fill(a, 5 * 4, 6 * 4, Float.NaN); // position (2,1)
            long aAddress = upload(session, a);
            long bAddress = upload(session, b);
            long lengths = session.allocate(2 * Integer.BYTES);
            session.upload(lengths, MemorySegment.ofArray(new int[] {3, 1}));
            long c = session.allocate(4 * 5 * Float.BYTES);
            session.enter();
            try {
                new CudaProduct(session)
                        .of(Form.TN, 4, 5, 6)
                        .a(aAddress, 4)
                        .b(bAddress, 5)
                        .into(c, 5)
                        .positions(lengths, 2, 0)
                        .runLarge();
            } finally {
                session.leave();
            }
            float[] found = new float[4 * 5];
            session.download(MemorySegment.ofArray(found), c);
            for (float value : found) {
                assertTrue(Float.isFinite(value), () -> Arrays.toString(found));
            }
        }
    }

    @Test
    void theSameBitsInEveryRun() {
        assertArrayEquals(denseForward(), denseForward());
    }

    private static float[] denseForward() {
        try (GruBackend backend = Emulator.backendWithCublas();
                FloatMemory x = backend.allocate(13 * 37);
                FloatMemory weight = backend.allocate(29 * 37);
                FloatMemory bias = backend.allocate(29);
                FloatMemory y = backend.allocate(13 * 29)) {
            x.upload(random(13 * 37, 1));
            weight.upload(random(29 * 37, 2));
            bias.upload(random(29, 3));
            backend.trainingKernels().denseForward(x, weight, bias, 13, 37, 29, y);
            return y.toArray();
        }
    }

    private static CudaSession session() {
        return session(ProductPrecision.FP32);
    }

    private static CudaSession session(ProductPrecision precision) {
        CudaSession session = Emulator.session(precision);
        System.setProperty(CublasLibrary.PROPERTY, Emulator.cublas().toString());
        session.openProducts(true);
        assertTrue(session.products() instanceof CublasProducts, () -> session.products().description());
        return session;
    }

    private static long upload(CudaSession session, float[] values) {
        long address = session.allocate(CudaFloatMemory.bytes("floats", values.length));
        session.upload(address, MemorySegment.ofArray(values));
        return address;
    }

    private static void fillMatrix(float[] values, int rows, int columns, int stride, float value) {
        for (int i = 0; i < rows; i++) {
            Arrays.fill(values, i * stride, i * stride + columns, value);
        }
    }

    private static float[] random(int length, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        float[] values = new float[length];
        for (int k = 0; k < length; k++) {
            values[k] = (float) random.nextDouble(-1, 1);
        }
        return values;
    }
}
