package dev.gru4j.cli;

import dev.gru4j.GruSpec;
import dev.gru4j.backend.BackendOptions;
import dev.gru4j.backend.GruBackend;
import dev.gru4j.backend.GruBackendProvider;
import dev.gru4j.backend.GruPlan;
import dev.gru4j.backend.KernelFamily;
import dev.gru4j.backend.PlanReport;
import dev.gru4j.backend.ProductPrecision;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Shows how a backend would run a GRU of given sizes: its kernels, why these, why no others, and what they need. */
@Command(
        name = "plan",
        description = {
            "Show how a GRU of given sizes would be run: kernels, why these and no others, memory.",
            "Allocates the parameters and runs nothing; with --device, which needs no GPU, not even that."
        })
final class PlanCommand implements Callable<Integer> {
    private static final String ALL = "all";

    private final Terminal terminal;

    @Mixin
    private final PlanOptions problem = new PlanOptions();

    @Mixin
    private final BackendChoice choice = new BackendChoice();

    @Option(
            names = "--precision",
            paramLabel = "NAME",
            split = ",",
            description = "Of matrix products: fp32, tf32, 3xtf32, bf16, fp16, several with commas between, or all;"
                    + " a plan for each. Default: ${DEFAULT-VALUE}.")
    private List<String> precisions = List.of(ProductPrecision.FP32.toString());

    @Mixin
    private final WeightStorageChoice weights = new WeightStorageChoice();

    @Option(
            names = "--kernels",
            paramLabel = "NAME",
            description = "Of cuda: auto, stepwise or persistent. Default: ${DEFAULT-VALUE}.")
    private String kernels = KernelFamily.AUTO.toString();

    @Option(
            names = "--device",
            paramLabel = "NAME",
            description = "Plan for this GPU, which need not be there: A100, RTX 3090, L40S, H100, H200, B200, ...;"
                    + " an unknown name lists all.")
    private @Nullable String device;

    @Option(names = "--json", description = "Print JSON.")
    private boolean json;

    PlanCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() {
        BackendOptions options = weights.in(choice.options()).withKernels(known(KernelFamily::of, kernels));
        List<PlanReport> reports = new ArrayList<>();
        for (ProductPrecision precision : precisions()) {
            reports.addAll(
                    device == null
                            ? reportsHere(options.withPrecision(precision))
                            : reportsFor(device, options.withPrecision(precision)));
        }
        terminal.print("%s", json ? PlanText.json(reports) : PlanText.table(reports));
        return 0;
    }

    private List<ProductPrecision> precisions() {
        return precisions.equals(List.of(ALL))
                ? Arrays.asList(ProductPrecision.values())
                : precisions.stream().map(name -> known(ProductPrecision::of, name)).distinct().toList();
    }

    private List<PlanReport> reportsHere(BackendOptions options) {
        GruSpec spec = problem.spec();
        int T = problem.steps();
        int B = problem.rows();
        List<GruPlan.Mode> modes = problem.modes();
        List<PlanReport> reports = new ArrayList<>();
        try (GruBackend backend = choice.open(options)) {
            if (!json) {
                terminal.print("%-22s %s", "backend", backend.description());
            }
            for (GruPlan.Mode mode : modes) {
                try (GruPlan plan = backend.plan(spec, T, B, mode)) {
                    reports.add(plan.report());
                }
            }
        }
        return reports;
    }

    private List<PlanReport> reportsFor(String name, BackendOptions options) {
        GruBackendProvider planner = choice.provider("cuda");
        GruSpec spec = problem.spec();
        int T = problem.steps();
        int B = problem.rows();
        return problem.modes().stream()
                .map(mode -> known(gpu -> planner.planFor(gpu, options, spec, T, B, mode), name))
                .toList();
    }

    /** What the library makes of a text; what it refuses, it refuses for reasons that are the user's to know. */
    private static <V> V known(Function<String, V> named, String name) {
        try {
            return named.apply(name);
        } catch (IllegalArgumentException e) {
            throw new UsageException(String.valueOf(e.getMessage()));
        }
    }
}
