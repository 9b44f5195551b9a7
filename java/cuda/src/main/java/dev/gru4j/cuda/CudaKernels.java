package dev.gru4j.cuda;

import dev.gru4j.backend.ProductPrecision;
import dev.gru4j.cuda.CudaProduct.Form;
import dev.gru4j.cuda.driver.CudaDriver;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The kernels of {@code cuda/gru_kernels.h}: their names, launches and argument sizes, and the module they lie in. */
final class CudaKernels {
    /** Threads of a block of a matrix product. */
    private static final int GEMM_THREADS = 256;

    /** Threads of a block of a persistent kernel. */
    private static final int PERSISTENT_THREADS = 256;

    private static final Pattern PERSISTENT_NAME =
            Pattern.compile("gru_persistent_(forward|backward)_reset_(after|before)_(\\d+)x(\\d+)_\\w+");

    /** Threads of a block of a kernel by row. */
    static final int ROW_THREADS = 128;

    /** Threads of a block of a kernel by element. */
    static final int ELEMENT_THREADS = 256;

    /** One kernel. The constants are those of the header. */
    enum Kernel {
        GEMM_NT_LARGE("gru_gemm_nt_128x128_f32", GEMM_THREADS, 104),
        GEMM_NN_LARGE("gru_gemm_nn_128x128_f32", GEMM_THREADS, 104),
        GEMM_TN_LARGE("gru_gemm_tn_128x128_f32", GEMM_THREADS, 104),
        GEMM_NT_SMALL("gru_gemm_nt_32x32_f32", GEMM_THREADS, 104),
        GEMM_NN_SMALL("gru_gemm_nn_32x32_f32", GEMM_THREADS, 104),
        GEMM_TN_SMALL("gru_gemm_tn_32x32_f32", GEMM_THREADS, 104),
        GEMM_NT_LARGE_TF32("gru_gemm_nt_128x128_tf32", GEMM_THREADS, 104),
        GEMM_NN_LARGE_TF32("gru_gemm_nn_128x128_tf32", GEMM_THREADS, 104),
        GEMM_TN_LARGE_TF32("gru_gemm_tn_128x128_tf32", GEMM_THREADS, 104),
        GEMM_NT_SMALL_TF32("gru_gemm_nt_32x32_tf32", GEMM_THREADS, 104),
        GEMM_NN_SMALL_TF32("gru_gemm_nn_32x32_tf32", GEMM_THREADS, 104),
        GEMM_TN_SMALL_TF32("gru_gemm_tn_32x32_tf32", GEMM_THREADS, 104),
        GEMM_NT_LARGE_TF32X3("gru_gemm_nt_128x128_3xtf32", GEMM_THREADS, 104),
        GEMM_NN_LARGE_TF32X3("gru_gemm_nn_128x128_3xtf32", GEMM_THREADS, 104),
        GEMM_TN_LARGE_TF32X3("gru_gemm_tn_128x128_3xtf32", GEMM_THREADS, 104),
        GEMM_NT_SMALL_TF32X3("gru_gemm_nt_32x32_3xtf32", GEMM_THREADS, 104),
        GEMM_NN_SMALL_TF32X3("gru_gemm_nn_32x32_3xtf32", GEMM_THREADS, 104),
        GEMM_TN_SMALL_TF32X3("gru_gemm_tn_32x32_3xtf32", GEMM_THREADS, 104),
        GEMM_NT_LARGE_BF16("gru_gemm_nt_128x128_bf16", GEMM_THREADS, 104),
        GEMM_NN_LARGE_BF16("gru_gemm_nn_128x128_bf16", GEMM_THREADS, 104),
        GEMM_TN_LARGE_BF16("gru_gemm_tn_128x128_bf16", GEMM_THREADS, 104),
        GEMM_NT_SMALL_BF16("gru_gemm_nt_32x32_bf16", GEMM_THREADS, 104),
        GEMM_NN_SMALL_BF16("gru_gemm_nn_32x32_bf16", GEMM_THREADS, 104),
        GEMM_TN_SMALL_BF16("gru_gemm_tn_32x32_bf16", GEMM_THREADS, 104),
        GEMM_NT_LARGE_FP16("gru_gemm_nt_128x128_fp16", GEMM_THREADS, 104),
        GEMM_NN_LARGE_FP16("gru_gemm_nn_128x128_fp16", GEMM_THREADS, 104),
        GEMM_TN_LARGE_FP16("gru_gemm_tn_128x128_fp16", GEMM_THREADS, 104),
        GEMM_NT_SMALL_FP16("gru_gemm_nt_32x32_fp16", GEMM_THREADS, 104),
        GEMM_NN_SMALL_FP16("gru_gemm_nn_32x32_fp16", GEMM_THREADS, 104),
        GEMM_TN_SMALL_FP16("gru_gemm_tn_32x32_fp16", GEMM_THREADS, 104),
        SUM_SPLITS("gru_sum_splits_f32", ROW_THREADS, 48),
        COLUMN_SUMS("gru_column_sums_f32", 256, 56),
        CELL_FORWARD_RESET_AFTER("gru_cell_forward_reset_after_f32", ROW_THREADS, 88),
        CELL_FORWARD_RESET_BEFORE_GATES("gru_cell_forward_reset_before_gates_f32", ROW_THREADS, 88),
        CELL_FORWARD_RESET_BEFORE_CANDIDATE("gru_cell_forward_reset_before_candidate_f32", ROW_THREADS, 88),
        CELL_BACKWARD_RESET_AFTER("gru_cell_backward_reset_after_f32", ROW_THREADS, 96),
        CELL_BACKWARD_RESET_BEFORE_CANDIDATE("gru_cell_backward_reset_before_candidate_f32", ROW_THREADS, 96),
        CELL_BACKWARD_RESET_BEFORE_RESET("gru_cell_backward_reset_before_reset_f32", ROW_THREADS, 96),
        PERSISTENT_FORWARD_RESET_AFTER_8X8("gru_persistent_forward_reset_after_8x8_f32", PERSISTENT_THREADS, 104),
        PERSISTENT_FORWARD_RESET_AFTER_8X32("gru_persistent_forward_reset_after_8x32_f32", PERSISTENT_THREADS, 104),
        PERSISTENT_FORWARD_RESET_AFTER_16X8("gru_persistent_forward_reset_after_16x8_f32", PERSISTENT_THREADS, 104),
        PERSISTENT_FORWARD_RESET_AFTER_16X32("gru_persistent_forward_reset_after_16x32_f32", PERSISTENT_THREADS, 104),
        PERSISTENT_FORWARD_RESET_BEFORE_8X8("gru_persistent_forward_reset_before_8x8_f32", PERSISTENT_THREADS, 104),
        PERSISTENT_FORWARD_RESET_BEFORE_8X32("gru_persistent_forward_reset_before_8x32_f32", PERSISTENT_THREADS, 104),
        PERSISTENT_FORWARD_RESET_BEFORE_16X8("gru_persistent_forward_reset_before_16x8_f32", PERSISTENT_THREADS, 104),
        PERSISTENT_FORWARD_RESET_BEFORE_16X32("gru_persistent_forward_reset_before_16x32_f32", PERSISTENT_THREADS, 104),
        PERSISTENT_BACKWARD_RESET_AFTER_8X8("gru_persistent_backward_reset_after_8x8_f32", PERSISTENT_THREADS, 104),
        PERSISTENT_BACKWARD_RESET_AFTER_8X32("gru_persistent_backward_reset_after_8x32_f32", PERSISTENT_THREADS, 104),
        PERSISTENT_BACKWARD_RESET_AFTER_16X8("gru_persistent_backward_reset_after_16x8_f32", PERSISTENT_THREADS, 104),
        PERSISTENT_BACKWARD_RESET_AFTER_16X32("gru_persistent_backward_reset_after_16x32_f32", PERSISTENT_THREADS, 104),
        PERSISTENT_BACKWARD_RESET_BEFORE_8X8("gru_persistent_backward_reset_before_8x8_f32", PERSISTENT_THREADS, 104),
        PERSISTENT_BACKWARD_RESET_BEFORE_8X32("gru_persistent_backward_reset_before_8x32_f32", PERSISTENT_THREADS, 104),
        PERSISTENT_BACKWARD_RESET_BEFORE_16X8("gru_persistent_backward_reset_before_16x8_f32", PERSISTENT_THREADS, 104),
        PERSISTENT_BACKWARD_RESET_BEFORE_16X32("gru_persistent_backward_reset_before_16x32_f32", PERSISTENT_THREADS,
                104),
        PERSISTENT_FORWARD_RESET_AFTER_8X16_TF32("gru_persistent_forward_reset_after_8x16_tf32", PERSISTENT_THREADS,
                104),
        PERSISTENT_FORWARD_RESET_AFTER_8X32_TF32("gru_persistent_forward_reset_after_8x32_tf32", PERSISTENT_THREADS,
                104),
        PERSISTENT_FORWARD_RESET_AFTER_16X16_TF32("gru_persistent_forward_reset_after_16x16_tf32", PERSISTENT_THREADS,
                104),
        PERSISTENT_FORWARD_RESET_AFTER_16X32_TF32("gru_persistent_forward_reset_after_16x32_tf32", PERSISTENT_THREADS,
                104),
        PERSISTENT_FORWARD_RESET_BEFORE_8X16_TF32("gru_persistent_forward_reset_before_8x16_tf32", PERSISTENT_THREADS,
                104),
        PERSISTENT_FORWARD_RESET_BEFORE_8X32_TF32("gru_persistent_forward_reset_before_8x32_tf32", PERSISTENT_THREADS,
                104),
        PERSISTENT_FORWARD_RESET_BEFORE_16X16_TF32("gru_persistent_forward_reset_before_16x16_tf32", PERSISTENT_THREADS,
                104),
        PERSISTENT_FORWARD_RESET_BEFORE_16X32_TF32("gru_persistent_forward_reset_before_16x32_tf32", PERSISTENT_THREADS,
                104),
        PERSISTENT_FORWARD_RESET_AFTER_8X16_TF32X3("gru_persistent_forward_reset_after_8x16_3xtf32", PERSISTENT_THREADS,
                104),
        PERSISTENT_FORWARD_RESET_AFTER_16X16_TF32X3("gru_persistent_forward_reset_after_16x16_3xtf32",
                PERSISTENT_THREADS, 104),
        PERSISTENT_FORWARD_RESET_BEFORE_8X16_TF32X3("gru_persistent_forward_reset_before_8x16_3xtf32",
                PERSISTENT_THREADS, 104),
        PERSISTENT_FORWARD_RESET_BEFORE_16X16_TF32X3("gru_persistent_forward_reset_before_16x16_3xtf32",
                PERSISTENT_THREADS, 104),
        PERSISTENT_FORWARD_RESET_AFTER_8X16_BF16("gru_persistent_forward_reset_after_8x16_bf16", PERSISTENT_THREADS,
                104),
        PERSISTENT_FORWARD_RESET_AFTER_8X32_BF16("gru_persistent_forward_reset_after_8x32_bf16", PERSISTENT_THREADS,
                104),
        PERSISTENT_FORWARD_RESET_AFTER_16X16_BF16("gru_persistent_forward_reset_after_16x16_bf16", PERSISTENT_THREADS,
                104),
        PERSISTENT_FORWARD_RESET_AFTER_16X32_BF16("gru_persistent_forward_reset_after_16x32_bf16", PERSISTENT_THREADS,
                104),
        PERSISTENT_FORWARD_RESET_BEFORE_8X16_BF16("gru_persistent_forward_reset_before_8x16_bf16", PERSISTENT_THREADS,
                104),
        PERSISTENT_FORWARD_RESET_BEFORE_8X32_BF16("gru_persistent_forward_reset_before_8x32_bf16", PERSISTENT_THREADS,
                104),
        PERSISTENT_FORWARD_RESET_BEFORE_16X16_BF16("gru_persistent_forward_reset_before_16x16_bf16", PERSISTENT_THREADS,
                104),
        PERSISTENT_FORWARD_RESET_BEFORE_16X32_BF16("gru_persistent_forward_reset_before_16x32_bf16", PERSISTENT_THREADS,
                104),
        PERSISTENT_FORWARD_RESET_AFTER_8X16_FP16("gru_persistent_forward_reset_after_8x16_fp16", PERSISTENT_THREADS,
                104),
        PERSISTENT_FORWARD_RESET_AFTER_8X32_FP16("gru_persistent_forward_reset_after_8x32_fp16", PERSISTENT_THREADS,
                104),
        PERSISTENT_FORWARD_RESET_AFTER_16X16_FP16("gru_persistent_forward_reset_after_16x16_fp16", PERSISTENT_THREADS,
                104),
        PERSISTENT_FORWARD_RESET_AFTER_16X32_FP16("gru_persistent_forward_reset_after_16x32_fp16", PERSISTENT_THREADS,
                104),
        PERSISTENT_FORWARD_RESET_BEFORE_8X16_FP16("gru_persistent_forward_reset_before_8x16_fp16", PERSISTENT_THREADS,
                104),
        PERSISTENT_FORWARD_RESET_BEFORE_8X32_FP16("gru_persistent_forward_reset_before_8x32_fp16", PERSISTENT_THREADS,
                104),
        PERSISTENT_FORWARD_RESET_BEFORE_16X16_FP16("gru_persistent_forward_reset_before_16x16_fp16", PERSISTENT_THREADS,
                104),
        PERSISTENT_FORWARD_RESET_BEFORE_16X32_FP16("gru_persistent_forward_reset_before_16x32_fp16", PERSISTENT_THREADS,
                104),
        PERSISTENT_BACKWARD_RESET_AFTER_8X16_TF32("gru_persistent_backward_reset_after_8x16_tf32", PERSISTENT_THREADS,
                104),
        PERSISTENT_BACKWARD_RESET_AFTER_8X32_TF32("gru_persistent_backward_reset_after_8x32_tf32", PERSISTENT_THREADS,
                104),
        PERSISTENT_BACKWARD_RESET_AFTER_16X16_TF32("gru_persistent_backward_reset_after_16x16_tf32", PERSISTENT_THREADS,
                104),
        PERSISTENT_BACKWARD_RESET_AFTER_16X32_TF32("gru_persistent_backward_reset_after_16x32_tf32", PERSISTENT_THREADS,
                104),
        PERSISTENT_BACKWARD_RESET_BEFORE_8X16_TF32("gru_persistent_backward_reset_before_8x16_tf32", PERSISTENT_THREADS,
                104),
        PERSISTENT_BACKWARD_RESET_BEFORE_8X32_TF32("gru_persistent_backward_reset_before_8x32_tf32", PERSISTENT_THREADS,
                104),
        PERSISTENT_BACKWARD_RESET_BEFORE_16X16_TF32("gru_persistent_backward_reset_before_16x16_tf32",
                PERSISTENT_THREADS, 104),
        PERSISTENT_BACKWARD_RESET_BEFORE_16X32_TF32("gru_persistent_backward_reset_before_16x32_tf32",
                PERSISTENT_THREADS, 104),
        PERSISTENT_BACKWARD_RESET_AFTER_8X16_TF32X3("gru_persistent_backward_reset_after_8x16_3xtf32",
                PERSISTENT_THREADS, 104),
        PERSISTENT_BACKWARD_RESET_AFTER_16X16_TF32X3("gru_persistent_backward_reset_after_16x16_3xtf32",
                PERSISTENT_THREADS, 104),
        PERSISTENT_BACKWARD_RESET_BEFORE_8X16_TF32X3("gru_persistent_backward_reset_before_8x16_3xtf32",
                PERSISTENT_THREADS, 104),
        PERSISTENT_BACKWARD_RESET_BEFORE_16X16_TF32X3("gru_persistent_backward_reset_before_16x16_3xtf32",
                PERSISTENT_THREADS, 104),
        PERSISTENT_BACKWARD_RESET_AFTER_8X16_BF16("gru_persistent_backward_reset_after_8x16_bf16", PERSISTENT_THREADS,
                104),
        PERSISTENT_BACKWARD_RESET_AFTER_8X32_BF16("gru_persistent_backward_reset_after_8x32_bf16", PERSISTENT_THREADS,
                104),
        PERSISTENT_BACKWARD_RESET_AFTER_16X16_BF16("gru_persistent_backward_reset_after_16x16_bf16", PERSISTENT_THREADS,
                104),
        PERSISTENT_BACKWARD_RESET_AFTER_16X32_BF16("gru_persistent_backward_reset_after_16x32_bf16", PERSISTENT_THREADS,
                104),
        PERSISTENT_BACKWARD_RESET_BEFORE_8X16_BF16("gru_persistent_backward_reset_before_8x16_bf16", PERSISTENT_THREADS,
                104),
        PERSISTENT_BACKWARD_RESET_BEFORE_8X32_BF16("gru_persistent_backward_reset_before_8x32_bf16", PERSISTENT_THREADS,
                104),
        PERSISTENT_BACKWARD_RESET_BEFORE_16X16_BF16("gru_persistent_backward_reset_before_16x16_bf16",
                PERSISTENT_THREADS, 104),
        PERSISTENT_BACKWARD_RESET_BEFORE_16X32_BF16("gru_persistent_backward_reset_before_16x32_bf16",
                PERSISTENT_THREADS, 104),
        PERSISTENT_BACKWARD_RESET_AFTER_8X16_FP16("gru_persistent_backward_reset_after_8x16_fp16", PERSISTENT_THREADS,
                104),
        PERSISTENT_BACKWARD_RESET_AFTER_8X32_FP16("gru_persistent_backward_reset_after_8x32_fp16", PERSISTENT_THREADS,
                104),
        PERSISTENT_BACKWARD_RESET_AFTER_16X16_FP16("gru_persistent_backward_reset_after_16x16_fp16", PERSISTENT_THREADS,
                104),
        PERSISTENT_BACKWARD_RESET_AFTER_16X32_FP16("gru_persistent_backward_reset_after_16x32_fp16", PERSISTENT_THREADS,
                104),
        PERSISTENT_BACKWARD_RESET_BEFORE_8X16_FP16("gru_persistent_backward_reset_before_8x16_fp16", PERSISTENT_THREADS,
                104),
        PERSISTENT_BACKWARD_RESET_BEFORE_8X32_FP16("gru_persistent_backward_reset_before_8x32_fp16", PERSISTENT_THREADS,
                104),
        PERSISTENT_BACKWARD_RESET_BEFORE_16X16_FP16("gru_persistent_backward_reset_before_16x16_fp16",
                PERSISTENT_THREADS, 104),
        PERSISTENT_BACKWARD_RESET_BEFORE_16X32_FP16("gru_persistent_backward_reset_before_16x32_fp16",
                PERSISTENT_THREADS, 104),
        DROPOUT("gru_dropout_f32", ROW_THREADS, 56),
        EMBEDDING_FORWARD("gru_embedding_forward_f32", ROW_THREADS, 48),
        EMBEDDING_BACKWARD("gru_embedding_backward_f32", ROW_THREADS, 48),
        SOFTMAX_CROSS_ENTROPY("gru_softmax_cross_entropy_f32", ROW_THREADS, 64),
        SQUARED_ERROR("gru_squared_error_f32", ELEMENT_THREADS, 64),
        SQUARED_NORM("gru_squared_norm_f32", ELEMENT_THREADS, 24),
        SUM("gru_sum_f64", ELEMENT_THREADS, 32),
        UPDATE_LOSS_SCALE("gru_update_loss_scale_f32", ELEMENT_THREADS, 48),
        CLIP_BY_NORM("gru_clip_by_norm_f32", ELEMENT_THREADS, 32),
        SGD("gru_sgd_f32", ELEMENT_THREADS, 48),
        ADAM("gru_adam_f32", ELEMENT_THREADS, 88);

        private final String symbol;
        private final int threads;
        private final int argumentBytes;
        private final ProductPrecision precision;

        Kernel(String symbol, int threads, int argumentBytes) {
            this.symbol = symbol;
            this.threads = threads;
            this.argumentBytes = argumentBytes;
            this.precision = precisionOf(symbol.substring(symbol.lastIndexOf('_') + 1));
        }

        /** By the ending of its name; f32 and f64 end the names of kernels that every precision shares. */
        private static ProductPrecision precisionOf(String ending) {
            return Arrays.stream(ProductPrecision.values())
                    .filter(p -> p.toString().equals(ending))
                    .findFirst()
                    .orElse(ProductPrecision.FP32);
        }

        /** The persistent kernels of each precision, by {@link #persistentIndex}. */
        private static final Map<ProductPrecision, Kernel[]> PERSISTENT = persistentKernels();

        private static Map<ProductPrecision, Kernel[]> persistentKernels() {
            Map<ProductPrecision, Kernel[]> kernels = new EnumMap<>(ProductPrecision.class);
            for (Kernel kernel : values()) {
                Matcher name = PERSISTENT_NAME.matcher(kernel.symbol);
                if (name.matches()) {
                    int index = persistentIndex(
                            name.group(1).equals("backward"),
                            name.group(2).equals("before"),
                            Integer.parseInt(name.group(3)),
                            Integer.parseInt(name.group(4)));
                    kernels.computeIfAbsent(kernel.precision, p -> new Kernel[16])[index] = kernel;
                }
            }
            return kernels;
        }

        /** Tiles have 8 or 16 units, and 32 or one smaller number of rows. */
        private static int persistentIndex(boolean isBackward, boolean isResetBefore, int tileUnits, int tileRows) {
            return (isBackward ? 8 : 0)
                    + (isResetBefore ? 4 : 0)
                    + (tileUnits == 16 ? 2 : 0)
                    + (tileRows == 32 ? 1 : 0);
        }

        /** The persistent kernel of that precision with tiles of so many units and rows. */
        static Kernel persistent(
                ProductPrecision precision, boolean isBackward, boolean isResetBefore, int tileUnits, int tileRows) {
            Kernel[] kernels = Objects.requireNonNull(PERSISTENT.get(precision), "every precision has some");
            return kernels[persistentIndex(isBackward, isResetBefore, tileUnits, tileRows)];
        }

        /** The product of one form, with square tiles of so many rows, of operands rounded to {@code precision}. */
        static Kernel product(Form form, int tile, ProductPrecision precision) {
            String ending = precision == ProductPrecision.FP32 ? "f32" : precision.toString();
            return named("gru_gemm_" + form.name().toLowerCase(Locale.ROOT) + "_" + tile + "x" + tile + "_" + ending);
        }

        /** The kernel of that name in the module. */
        private static Kernel named(String symbol) {
            return Arrays.stream(values())
                    .filter(kernel -> kernel.symbol.equals(symbol))
                    .findFirst()
                    .orElseThrow(() -> new IllegalArgumentException("no kernel " + symbol));
        }

        /** Its name in the module. */
        String symbol() {
            return symbol;
        }

        /** Whether its blocks wait for one another, so that all must run at once. */
        boolean isPersistent() {
            return symbol.startsWith("gru_persistent_");
        }

        /** What it rounds the operands of products to; fp32 of a kernel that has none. */
        ProductPrecision precision() {
            return precision;
        }

        /** Threads of a block. */
        int threads() {
            return threads;
        }

        /** Size of its argument struct. */
        int argumentBytes() {
            return argumentBytes;
        }
    }

    private final CudaDriver driver;
    private final Map<Kernel, Integer> functions = new EnumMap<>(Kernel.class);
    private boolean loaded;

    CudaKernels(CudaDriver driver) {
        this.driver = driver;
    }

    /** Loads the module and finds every kernel in it that the session's precision may launch. */
    void load(CudaImage image, CudaSession session) {
        session.check("loading the kernels (" + image.name() + ")", driver.loadModule(image.bytes()));
        loaded = true;
        int[] function = new int[1];
        for (Kernel kernel : Kernel.values()) {
            // Kernels of a precision are there only where the image's target has its tensor cores.
            if (kernel.precision() != ProductPrecision.FP32 && kernel.precision() != session.precision()) {
                continue;
            }
            session.check("finding kernel " + kernel.symbol(), driver.getFunction(kernel.symbol(), function));
            functions.put(kernel, function[0]);
            if (kernel.isPersistent()) {
                int most = session.device().mostSharedBytes();
                session.check(
                        "allowing " + kernel.symbol() + " " + most + " bytes shared",
                        driver.allowSharedBytes(function[0], most));
            }
        }
    }

    int function(Kernel kernel) {
        return Objects.requireNonNull(functions.get(kernel), kernel.symbol() + " is loaded");
    }

    /** Unloads what was loaded and returns the driver's code. */
    int unload() {
        if (!loaded) {
            return CudaDriver.SUCCESS;
        }
        loaded = false;
        return driver.unloadModule();
    }
}
