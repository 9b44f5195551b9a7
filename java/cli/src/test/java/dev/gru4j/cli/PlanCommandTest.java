package dev.gru4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.gru4j.GruSpec;
import dev.gru4j.backend.GruPlan;
import dev.gru4j.backend.PlanReport;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class PlanCommandTest {
    private static CommandRun plan(String... more) {
        List<String> arguments = new ArrayList<>(List.of("plan", "--T", "5", "--B", "3", "--I", "7", "--H", "6"));
        arguments.addAll(List.of(more));
        return CommandRun.of(arguments);
    }

    @Test
    void aPlanOnThisMachineSaysWhatItNeeds() {
        CommandRun run = plan("--backend", "reference", "--mode", "training").succeeded();
        assertEquals("reference, training of I7 H6 L1 FORWARD RESET_AFTER bias BOTH, T = 5, B = 3", run.line("plan"));
        assertTrue(run.line("kernels").startsWith("scalar loops: "), run::toString);
        assertEquals((3 * 6 * (7 + 6) + 6 * 6) * 4 + " bytes", run.line("parameters").replace(",", ""));
        assertEquals(5 * 3 * 5 * 6 * 4 + " bytes", run.line("reserve").replace(",", ""));
    }

    @Test
    void bothModesAreTwoPlans() {
        CommandRun run = plan("--backend", "simd").succeeded();
        assertEquals(2, run.out().lines().filter(line -> line.startsWith("plan ")).count(), run::toString);
        assertTrue(run.out().contains("inference of "), run::toString);
        assertTrue(run.out().contains("training of "), run::toString);
    }

    /** No driver, no GPU, no emulator: the attributes of a device are enough. */
    @Test
    void aDeviceThatIsNotThereIsPlannedForAndSaysSo() {
        CommandRun run = plan("--device", "h200", "--mode", "inference").succeeded();
        assertTrue(run.line("device").startsWith("H200, sm_90, 132 multiprocessors"), run::toString);
        assertTrue(run.line("device").endsWith("; planned for, not run"), run::toString);
        assertTrue(run.line("kernels").startsWith("persistent: "), run::toString);
        assertTrue(run.line("not stepwise: ").length() > 0, run::toString);
        assertTrue(run.line("shared memory").endsWith(" of 232448 bytes a block"), run::toString);
        assertFalse(run.out().contains("backend "), run::toString);
    }

    @Test
    void everyOptionReachesThePlan() {
        CommandRun run = plan(
                "--device", "A100", "--mode", "inference", "--layers", "2", "--bidirectional", "--variant",
                "reset-before", "--bias", "input", "--kernels", "stepwise").succeeded();
        assertTrue(
                run.line("plan").startsWith("cuda, inference of I7 H6 L2 BIDIRECTIONAL RESET_BEFORE bias INPUT,"),
                run::toString);
        assertEquals("stepwise: asked for", run.line("kernels"));
    }

    @Test
    void recurrentWeightsInBf16AreKeptSoForOneRowAndRoundedForMore() {
        assertEquals(
                "rounded to bf16, kept in fp32: from B = 2 on memory does not set the pace",
                plan("--backend", "simd", "--mode", "inference", "--recurrent-weights", "bf16")
                        .succeeded()
                        .line("recurrent weights"));
        assertEquals(
                "bf16",
                CommandRun.of(
                        "plan", "--T", "5", "--B", "1", "--I", "7", "--H", "6", "--backend", "simd", "--mode",
                        "inference", "--recurrent-weights", "bf16").succeeded().line("recurrent weights"));
    }

    @Test
    void jsonHoldsTheReport() throws JsonProcessingException {
        GruSpec spec = GruSpec.of(7, 6);
        PlanReport report = new PlanReport.Builder("cuda")
                .decision("kernels", "a", "b \"c\"", List.of(new PlanReport.Refusal("d", "e\\\n")))
                .fact("f", "ü")
                .build(spec, 5, 3, GruPlan.Mode.INFERENCE, 2, 0);
        ObjectMapper mapper = new ObjectMapper();
        assertEquals(
                mapper.readTree("""
                        [{"backend": "cuda", "mode": "inference", "T": 5, "B": 3, "I": 7, "H": 6, "layers": 1,
                          "directions": "forward", "variant": "reset-after", "bias": "both", "parameterBytes": 1080,
                          "workspaceBytes": 8, "reserveBytes": 0,
                          "decisions": [{"subject": "kernels", "choice": "a", "reason": "b \\"c\\"",
                                         "refused": {"d": "e\\\\\\n"}}],
                          "facts": {"f": "ü"}}]"""),
                mapper.readTree(PlanText.json(List.of(report))));
        JsonNode plans = mapper.readTree(plan("--device", "H100", "--json").succeeded().out());
        assertEquals(2, plans.size());
        assertEquals("inference", plans.get(0).get("mode").textValue());
        assertEquals("training", plans.get(1).get("mode").textValue());
    }

    @Test
    void whatMakesNoSenseEndsWithStatusTwo() {
        CommandRun.of("plan", "--T", "5", "--B", "3", "--I", "7").failed(2, "--H");
        CommandRun.of("plan", "--T", "5", "--B", "0", "--I", "7", "--H", "6").failed(2,
                "--B is 0; at least 1 expected");
        CommandRun.of("plan", "--T", "-1", "--B", "1", "--I", "7", "--H", "6").failed(2, "--T is -1; at least 0");
        CommandRun.of("plan", "--T", "1", "--B", "1", "--I", "0", "--H", "6").failed(2, "--I is 0; at least 1");
        plan("--layers", "0").failed(2, "--layers is 0; 1 to 256 expected");
        plan("--variant", "reset").failed(2, "--variant is 'reset'; one of reset-after, reset-before expected");
        plan("--bias", "two").failed(2, "--bias is 'two'; one of both, input, none expected");
        plan("--mode", "test").failed(2, "--mode is 'test'; inference, training or both expected");
        plan("--bidirectional", "--directions", "reverse").failed(2, "exclude each other");
        plan("--precision", "fp64").failed(2, "precision is 'fp64'; fp32, tf32, 3xtf32, bf16 or fp16 expected");
        plan("--recurrent-weights", "int8").failed(2, "weight storage is 'int8'; fp32 or bf16 expected");
        plan("--device", "H200", "--recurrent-weights", "bf16")
                .failed(2,
                        "it keeps recurrent weights in fp32 only, not in bf16 (use the simd or the reference backend");
        plan("--kernels", "fast").failed(2, "family of kernels is 'fast'; auto, stepwise or persistent expected");
        plan("--backend", "cdua").failed(2, "unknown backend 'cdua'; known: cuda, simd, reference");
        plan("--device", "H2000").failed(2, "unknown device 'H2000'; known: T4, A100, ");
        plan("--device", "H200", "--backend", "simd")
                .failed(2, "backend 'simd' plans for the machine it runs on, and no other");
        CommandRun.of("plan", "--T", "5", "--B", "3", "--I", "7", "--H", "4096", "--device", "H200", "--kernels",
                "persistent").failed(2, "persistent kernels were asked for, but H = 4096 needs");
    }
}
