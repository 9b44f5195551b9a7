package dev.gru4j.cuda;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Collectors;

/** Counts what goes into a graph, since a driver that reports a failure does not say in which of its kernels. */
final class CudaRecording {
    private final Map<String, Integer> launches = new LinkedHashMap<>();

    void add(String kernel) {
        launches.merge(kernel, 1, Integer::sum);
    }

    /** {@code 12 gru_gemm_nt_32x32_f32, 11 gru_cell_forward_reset_after_f32}, in the order in which they came first. */
    String contents() {
        return launches.entrySet().stream()
                .map(entry -> entry.getValue() + " " + entry.getKey())
                .collect(Collectors.joining(", "));
    }
}
