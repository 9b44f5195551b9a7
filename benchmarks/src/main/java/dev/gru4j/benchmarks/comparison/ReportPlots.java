package dev.gru4j.benchmarks.comparison;

import dev.gru4j.GruShape;
import java.awt.Color;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.knowm.xchart.CategoryChart;
import org.knowm.xchart.CategoryChartBuilder;
import org.knowm.xchart.ChartEncoder;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.internal.chartpart.Chart;
import org.knowm.xchart.style.Styler.LegendLayout;
import org.knowm.xchart.style.Styler.LegendPosition;

/**
 * A run as pictures: bars by shape, one picture for each mode, variant and number of threads; and wherever the shapes
 * differ in one letter alone, times over that letter, both axes logarithmic.
 */
final class ReportPlots {
    private static final int WIDTH = 1200;
    private static final int HEIGHT = 600;

    /** Fewer points are no curve. */
    private static final int LEAST_POINTS = 3;

    /** What a curve runs over. */
    enum Letter {
        /** Batch rows. */
        B,
        /** Hidden units. */
        H,
        /** Steps. */
        T;

        int of(GruShape shape) {
            return switch (this) {
                case B -> shape.B();
                case H -> shape.H();
                case T -> shape.T();
            };
        }

        /** The other letters: shapes that agree in them lie on one curve; along H, I may follow it. */
        String others(GruShape shape) {
            return switch (this) {
                case B -> "T" + shape.T() + " I" + shape.I() + " H" + shape.H();
                case T -> "B" + shape.B() + " I" + shape.I() + " H" + shape.H();
                case H -> "T" + shape.T() + " B" + shape.B() + " I"
                        + (shape.I() == shape.H() ? "=H" : String.valueOf(shape.I()));
            };
        }
    }

    private final ComparisonReport report;
    private final String note;

    /**
     * Draws nothing yet.
     *
     * @param note stands in every title: what a picture must not be taken for; may be empty
     */
    ReportPlots(ComparisonReport report, String note) {
        this.report = report;
        this.note = note.isEmpty() ? "" : " (" + note + ")";
    }

    /** All pictures by name of file. */
    Map<String, Chart<?, ?>> charts() {
        Map<String, Chart<?, ?>> charts = new LinkedHashMap<>();
        Map<String, List<CellReport>> groups = report.cells().stream().collect(
                Collectors.groupingBy(c -> group(c.cell()), LinkedHashMap::new, Collectors.toList()));
        groups.forEach((group, cells) -> {
            charts.put("bars-" + file(group), bars(group, cells));
            for (Letter letter : Letter.values()) {
                Map<String, List<CellReport>> curves = cells.stream().collect(
                        Collectors.groupingBy(
                                c -> letter.others(c.cell().shape()), LinkedHashMap::new, Collectors.toList()));
                curves.forEach((others, curve) -> {
                    if (curve.stream().map(c -> letter.of(c.cell().shape())).distinct().count() >= LEAST_POINTS) {
                        charts.put(
                                "scaling-" + letter + "-" + file(others + " " + group),
                                scaling(letter, others, group, curve));
                    }
                });
            }
        });
        return charts;
    }

    private static String group(Cell cell) {
        return cell.mode() + " " + Cell.nameOf(cell.variant()) + " " + cell.threads()
                + (cell.threads() == 1 ? " thread " : " threads ") + cell.precision();
    }

    private static String file(String text) {
        return text.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9]+", "-") + ".png";
    }

    private CategoryChart bars(String group, List<CellReport> cells) {
        CategoryChart chart = new CategoryChartBuilder()
                .width(WIDTH)
                .height(HEIGHT)
                .title(group + note)
                .xAxisTitle("T,B,I,H")
                .yAxisTitle("GFLOP/s")
                .build();
        style(chart);
        chart.getStyler().setYAxisMin(0.0);
        List<String> shapes = cells.stream().map(c -> ReportTables.name(c.cell().shape())).toList();
        for (String name : report.measured()) {
            List<Double> rates = cells.stream().map(c -> c.measured(name).map(c::rate).orElse(0.0)).toList();
            if (rates.stream().anyMatch(rate -> rate > 0)) {
                chart.addSeries(name, shapes, rates);
            }
        }
        return chart;
    }

    private XYChart scaling(Letter letter, String others, String group, List<CellReport> cells) {
        XYChart chart = new XYChartBuilder()
                .width(WIDTH)
                .height(HEIGHT)
                .title(others + ", " + group + note)
                .xAxisTitle(letter.name())
                .yAxisTitle("µs a call")
                .build();
        style(chart);
        chart.getStyler().setXAxisLogarithmic(true).setYAxisLogarithmic(true);
        for (String name : report.measured()) {
            Map<Integer, Double> times = new TreeMap<>();
            for (CellReport cell : cells) {
                cell.measured(name).ifPresent(m -> times.put(letter.of(cell.cell().shape()), m.median()));
            }
            if (!times.isEmpty()) {
                chart.addSeries(name, new ArrayList<>(times.keySet()), new ArrayList<>(times.values()));
            }
        }
        return chart;
    }

    private static void style(Chart<?, ?> chart) {
        chart.getStyler()
                .setChartBackgroundColor(Color.WHITE)
                .setLegendPosition(LegendPosition.OutsideS)
                .setLegendLayout(LegendLayout.Horizontal)
                .setLegendBorderColor(Color.WHITE);
    }

    /**
     * Writes every picture into a folder.
     *
     * @return why there are none, or empty: numbers that took minutes are not lost because a machine has no fonts
     */
    String write(Path folder) throws IOException {
        try {
            for (Map.Entry<String, Chart<?, ?>> chart : charts().entrySet()) {
                Files.write(folder.resolve(chart.getKey()), ChartEncoder.getBytes(chart.getValue(), "png"));
            }
            return "";
        } catch (RuntimeException | LinkageError | InternalError e) {
            return "no plots: " + e + " (a JDK without fontconfig and fonts cannot draw text)";
        }
    }
}
