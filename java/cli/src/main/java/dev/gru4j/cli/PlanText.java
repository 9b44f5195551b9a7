package dev.gru4j.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.gru4j.GruSpec;
import dev.gru4j.backend.PlanReport;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/** Plan reports as text: a table for people, JSON for programs. */
final class PlanText {
    private PlanText() {}

    /** One block of lines for each report. */
    static String table(List<PlanReport> reports) {
        return reports.stream().map(PlanText::table).collect(Collectors.joining(System.lineSeparator()));
    }

    private static String table(PlanReport report) {
        StringBuilder text = new StringBuilder();
        row(
                text,
                "plan",
                report.backend() + ", " + PlanOptions.name(report.mode()) + " of " + report.spec() + ", T = "
                        + report.maxT() + ", B = " + report.maxB());
        for (PlanReport.Decision decision : report.decisions()) {
            row(text, decision.subject(), decision.choice() + ": " + decision.reason());
            for (PlanReport.Refusal refusal : decision.refused()) {
                row(text, "", "not " + refusal.alternative() + ": " + refusal.reason());
            }
        }
        for (PlanReport.Fact fact : report.facts()) {
            row(text, fact.name(), fact.value());
        }
        bytes(text, "parameters", report.parameterBytes());
        bytes(text, "workspace", report.workspaceBytes());
        bytes(text, "reserve", report.reserveBytes());
        return text.toString();
    }

    private static void bytes(StringBuilder text, String name, long bytes) {
        row(text, name, String.format(Locale.ROOT, "%,d bytes", bytes));
    }

    private static void row(StringBuilder text, String name, String value) {
        text.append(String.format(Locale.ROOT, "%-22s %s%n", name, value));
    }

    /** An array of the reports; names as in {@link PlanReport}, bytes as numbers. */
    static String json(List<PlanReport> reports) {
        try {
            return new ObjectMapper()
                    .writerWithDefaultPrettyPrinter()
                    .writeValueAsString(reports.stream().map(PlanText::tree).toList());
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("texts, numbers, lists and maps of them have a JSON form", e);
        }
    }

    private static Map<String, Object> tree(PlanReport report) {
        GruSpec spec = report.spec();
        Map<String, Object> tree = new LinkedHashMap<>();
        tree.put("backend", report.backend());
        tree.put("mode", PlanOptions.name(report.mode()));
        tree.put("T", report.maxT());
        tree.put("B", report.maxB());
        tree.put("I", spec.inputSize());
        tree.put("H", spec.hiddenSize());
        tree.put("layers", spec.layers());
        tree.put("directions", PlanOptions.name(spec.directions()));
        tree.put("variant", PlanOptions.name(spec.variant()));
        tree.put("bias", PlanOptions.name(spec.bias()));
        tree.put("parameterBytes", report.parameterBytes());
        tree.put("workspaceBytes", report.workspaceBytes());
        tree.put("reserveBytes", report.reserveBytes());
        tree.put("decisions", report.decisions().stream().map(PlanText::tree).toList());
        Map<String, Object> facts = new LinkedHashMap<>();
        report.facts().forEach(fact -> facts.put(fact.name(), fact.value()));
        tree.put("facts", facts);
        return tree;
    }

    private static Map<String, Object> tree(PlanReport.Decision decision) {
        Map<String, Object> tree = new LinkedHashMap<>();
        tree.put("subject", decision.subject());
        tree.put("choice", decision.choice());
        tree.put("reason", decision.reason());
        Map<String, Object> refused = new LinkedHashMap<>();
        decision.refused().forEach(refusal -> refused.put(refusal.alternative(), refusal.reason()));
        tree.put("refused", refused);
        return tree;
    }
}
