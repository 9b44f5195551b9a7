package dev.gru4j.cli;

import java.awt.BasicStroke;
import java.awt.Color;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.knowm.xchart.ChartEncoder;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.style.Styler.LegendLayout;
import org.knowm.xchart.style.Styler.LegendPosition;
import org.knowm.xchart.style.markers.SeriesMarkers;

/** Line charts as PNG files. */
final class Charts {
    private static final int WIDTH = 960;
    private static final int HEIGHT = 540;
    private static final int TICK_SPACING = 90;
    private static final float LINE_WIDTH = 1.5f;

    /** One line of a chart. */
    @SuppressWarnings("ArrayRecordComponent") // Never compared; the chart library takes arrays.
    record Line(String name, double[] x, double[] y) {
        /** A level to compare with, across the whole chart. */
        static Line level(String name, double[] x, double value) {
            return new Line(name, new double[] {x[0], x[x.length - 1]}, new double[] {value, value});
        }
    }

    private Charts() {}

    /**
     * Writes a chart, or says why it cannot: a run that took minutes is not lost because a machine has no
     * fonts.
     */
    static void write(Terminal terminal, Path file, String title, String xTitle, String yTitle, List<Line> lines)
            throws IOException {
        byte[] png;
        try {
            png = png(title, xTitle, yTitle, lines);
        } catch (RuntimeException | LinkageError | InternalError e) {
            terminal.remark("no chart: %s (a JDK without fontconfig and fonts cannot draw text)", e);
            return;
        }
        Files.write(file, png);
        terminal.print("chart    %s", file);
    }

    private static byte[] png(String title, String xTitle, String yTitle, List<Line> lines) throws IOException {
        XYChart chart = new XYChartBuilder()
                .width(WIDTH)
                .height(HEIGHT)
                .title(title)
                .xAxisTitle(xTitle)
                .yAxisTitle(yTitle)
                .build();
        chart.getStyler()
                .setChartBackgroundColor(Color.WHITE)
                .setLegendPosition(LegendPosition.OutsideS)
                .setLegendLayout(LegendLayout.Horizontal)
                .setLegendBorderColor(Color.WHITE);
        chart.getStyler()
                .setPlotGridLinesColor(Color.LIGHT_GRAY)
                .setXAxisTickMarkSpacingHint(TICK_SPACING)
                .setYAxisTickMarkSpacingHint(TICK_SPACING);
        for (Line line : lines) {
            if (line.x().length > 0) {
                chart.addSeries(line.name(), line.x(), line.y())
                        .setMarker(SeriesMarkers.NONE)
                        .setLineStyle(new BasicStroke(LINE_WIDTH));
            }
        }
        return ChartEncoder.getBytes(chart, "png");
    }
}
