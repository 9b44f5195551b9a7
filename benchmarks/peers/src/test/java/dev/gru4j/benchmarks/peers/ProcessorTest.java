package dev.gru4j.benchmarks.peers;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ProcessorTest {
    @ParameterizedTest
    @CsvSource({
        "AuthenticAMD, fpu avx2 avx512f avx512vl, true", "AuthenticAMD, fpu avx2, false",
        "GenuineIntel, fpu avx2 avx512f avx512vl, false", "AuthenticAMD, avx512vlx, false"
    })
    void onlyAnAmdWithAvx512IsOne(String vendor, String flags, boolean expected) {
        List<String> lines = List.of("processor\t: 0", "vendor_id\t: " + vendor, "flags\t\t: " + flags);
        assertEquals(expected, Processor.isAmdWithAvx512(lines));
    }
}
