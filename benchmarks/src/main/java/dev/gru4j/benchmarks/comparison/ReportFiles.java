package dev.gru4j.benchmarks.comparison;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.gru4j.GruShape;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** A run as results.json, which has everything and is read again, and results.csv, a line for each time. */
public final class ReportFiles {
    /** The file that has everything. */
    public static final String JSON = "results.json";

    /** The file for spreadsheets. */
    public static final String CSV = "results.csv";

    private static final ObjectMapper MAPPER = new ObjectMapper()
            .enable(SerializationFeature.INDENT_OUTPUT)
            .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES);

    private ReportFiles() {}

    /** Writes both files into a folder, which is made. */
    static void write(Path folder, ComparisonReport report) throws IOException {
        Files.createDirectories(folder);
        Files.writeString(folder.resolve(JSON), json(report));
        Files.write(folder.resolve(CSV), csv(report));
    }

    /** The run, and in each measurement what follows from it, so that a reader need not compute it. */
    static String json(ComparisonReport report) throws IOException {
        ObjectNode tree = MAPPER.valueToTree(report);
        ArrayNode cells = (ArrayNode) tree.get("cells");
        for (int i = 0; i < cells.size(); i++) {
            CellReport cell = report.cells().get(i);
            ((ObjectNode) cells.get(i)).put("floorMicroseconds", rounded(cell.conditions().floor(cell.cell())));
            ArrayNode measurements = (ArrayNode) cells.get(i).get("measurements");
            for (int k = 0; k < measurements.size(); k++) {
                Measurement m = cell.measurements().get(k);
                if (m.isMeasured()) {
                    ((ObjectNode) measurements.get(k))
                            .put("medianMicroseconds", rounded(m.median()))
                            .put("gflops", rounded(cell.rate(m)))
                            .put("shareOfPeak", rounded(cell.ofPeak(m)))
                            .put("shareOfFloor", rounded(cell.ofFloor(m)));
                }
            }
        }
        return MAPPER.writeValueAsString(tree) + "\n";
    }

    private static double rounded(double value) {
        return Double.parseDouble(number(value));
    }

    /**
     * Reads results.json.
     *
     * @throws IOException if it is not there or not such a file
     */
    public static ComparisonReport read(Path file) throws IOException {
        return MAPPER.readValue(file.toFile(), ComparisonReport.class);
    }

    static List<String> csv(ComparisonReport report) {
        List<String> lines = new ArrayList<>();
        lines.add(
                "T,B,I,H,variant,mode,threads,precision,contender,configuration,outcome,median_us,min_us,max_us,slices,"
                        + "calls,gflops,share_of_peak,share_of_floor,times_best_peer,peak_gflops,floor_us,sigmoid_per_ns,"
                        + "tanh_per_ns,read_gb_per_s,rounds,repeated_rounds,others_share,disturbed,note");
        for (CellReport cell : report.cells()) {
            for (Measurement m : cell.measurements()) {
                lines.add(line(cell, m));
            }
        }
        return lines;
    }

    private static String line(CellReport report, Measurement m) {
        Cell cell = report.cell();
        GruShape shape = cell.shape();
        Conditions c = report.conditions();
        List<Object> values = new ArrayList<>(
                List.<Object>of(
                        shape.T(), shape.B(), shape.I(), shape.H(), Cell.nameOf(cell.variant()), cell.mode(),
                        cell.threads(), cell.precision(), m.contender(), m.configuration(),
                        m.outcome().name().toLowerCase(Locale.ROOT)));
        if (m.isMeasured()) {
            values.addAll(
                    List.<Object>of(
                            number(m.median()), number(Statistics.min(m.slices())), number(Statistics.max(m.slices())),
                            m.slices().size(), m.calls(), number(report.rate(m)), number(report.ofPeak(m)),
                            number(report.ofFloor(m)),
                            report.ratio(m.contender()).map(ReportFiles::number).orElse("")));
        } else {
            values.addAll(List.<Object>of("", "", "", 0, 0, "", "", "", ""));
        }
        values.addAll(
                List.<Object>of(
                        number(c.peak()), number(c.floor(cell)), number(c.sigmoid()), number(c.tanh()),
                        number(c.read()),
                        c.rounds(), c.repeated(), number(c.others()), c.disturbed(), m.note()));
        return values.stream().map(v -> quoted(v.toString())).collect(Collectors.joining(","));
    }

    /** Five digits: more than any clock here has. */
    private static String number(double value) {
        return String.format(Locale.ROOT, "%.5g", value);
    }

    private static String quoted(String value) {
        return value.matches("[^,\"\\n]*")
                ? value
                : '"' + value.replace("\"", "\"\"").replaceAll("\\s*\\n\\s*", " ") + '"';
    }
}
