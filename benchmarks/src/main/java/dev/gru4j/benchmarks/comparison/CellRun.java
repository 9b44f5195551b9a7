package dev.gru4j.benchmarks.comparison;

import dev.gru4j.benchmarks.comparison.Measurement.Outcome;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Measures one cell. Every configuration of every contender is checked and warmed up; of each contender the best stay;
 * these take turns, a slice of calls each, in rounds that begin with another one each time. A round in which other
 * processes used the processors is measured again.
 */
final class CellRun {
    /** A configuration this much slower than the same contender's best leaves after the warm-up. */
    private static final double NEARLY_BEST = 1.1;

    /** Configurations of a contender that take turns. */
    private static final int MOST_CONFIGURATIONS = 2;

    /** Where a call takes longer than this, in seconds, only the best configuration takes turns. */
    private static final double LONG_CALL = 0.25;

    /** A contender this many times slower than the fastest gets the least number of turns. */
    private static final double HOPELESS = 4;

    /** Others may use that share of one processor. */
    private static final double NOTICEABLE = 0.05;

    private static final double PEAK_SECONDS = 0.004;
    private static final double RATE_SECONDS = 0.02;
    private static final double LEAST_SLICE = 0.004;

    /** However little time there is: before the JIT compiler is done, a time says nothing. It ends earlier when it is. */
    private static final double LEAST_WARM_UP = 1.5;

    private final Team team;
    private final Cell cell;
    private final Path expectation;
    private final Pace pace;
    private final BooleanSupplier stopped;
    private final List<Lane> lanes = new ArrayList<>();
    private final Map<String, Measurement> lost = new LinkedHashMap<>();
    private final Map<String, Map<String, Double>> tried = new LinkedHashMap<>();
    private final List<Double> peaks = new ArrayList<>();
    private final List<Double> others = new ArrayList<>();
    private int prepared;

    /**
     * Does nothing yet.
     *
     * @param expectation file of the {@link Expectation}
     * @param stopped whether the user wants an end
     */
    CellRun(Team team, Cell cell, Path expectation, Pace pace, BooleanSupplier stopped) {
        this.team = team;
        this.cell = cell;
        this.expectation = expectation;
        this.pace = pace;
        this.stopped = stopped;
    }

    /**
     * Measures, in about so many seconds, and not less than the least number of rounds takes.
     *
     * @return nothing if the user wanted an end before there was a result
     */
    Optional<CellReport> run(double seconds) throws InterruptedException, IOException, WorkerLostException {
        long start = System.nanoTime();
        prepare(Math.min(pace.warmUp(), Math.max(LEAST_WARM_UP, seconds / 2)));
        keepTheBest();
        Reply rates = team.askMachine(
                Request.machine(team.threads(), RATE_SECONDS, Conditions.weightBytes(cell)), pace.patience());
        rounds(start, seconds);
        if (peaks.size() < pace.leastRounds()) {
            lanes.forEach(lane -> dropQuietly(lane));
            return Optional.empty();
        }
        for (Lane lane : List.copyOf(lanes)) {
            ask(lane, Request.finish(lane.number()), pace.patience(cell, 1));
        }
        return Optional.of(report(rates));
    }

    private void prepare(double warmUp) throws InterruptedException, IOException {
        for (String contender : team.names()) {
            String why = team.unavailable().get(contender);
            if (why != null) {
                lost.put(contender, Measurement.without(contender, Outcome.REFUSED, why));
                continue;
            }
            for (String configuration : configurations(contender)) {
                if (stopped.getAsBoolean()) {
                    return;
                }
                Lane lane = new Lane(++prepared, contender, configuration);
                lanes.add(lane);
                // Two checked calls on the problem with some loss, then as many as warming up takes.
                Optional<Reply> reply = ask(
                        lane, Request.prepare(lane.number(), cell, configuration, expectation.toString(), warmUp),
                        warmUp + pace.patience(cell, 4));
                reply.ifPresent(lane::checked);
            }
        }
    }

    private List<String> configurations(String contender) throws InterruptedException, IOException {
        try {
            Reply reply = team.ask(contender, Request.configurations(cell), pace.patience());
            if (!reply.ok()) {
                lost.put(contender, Measurement.without(contender, Outcome.REFUSED, reply.text()));
            }
            return reply.names();
        } catch (WorkerLostException e) {
            lost.put(contender, Measurement.without(contender, Outcome.FAILED, String.valueOf(e.getMessage())));
            return List.of();
        }
    }

    /** Asks the worker of a lane; a refusal loses the lane, a lost process all lanes of the contender. */
    private Optional<Reply> ask(Lane lane, Request request, double seconds) throws InterruptedException, IOException {
        try {
            Reply reply = team.ask(lane.contender(), request, seconds);
            if (reply.ok()) {
                return Optional.of(reply);
            }
            lanes.remove(lane);
            lose(lane, reply.text());
            if (request.command() != Request.Command.FINISH) {
                team.ask(lane.contender(), Request.drop(lane.number()), pace.patience());
            }
        } catch (WorkerLostException e) {
            lanes.removeIf(other -> other.contender().equals(lane.contender()));
            lose(lane, String.valueOf(e.getMessage()));
        }
        return Optional.empty();
    }

    /** What is told of a contender none of whose configurations is left. */
    private void lose(Lane lane, String why) {
        lost.put(
                lane.contender(),
                Measurement.without(lane.contender(), Outcome.FAILED, lane.configuration() + ": " + why));
    }

    private void dropQuietly(Lane lane) {
        try {
            team.ask(lane.contender(), Request.drop(lane.number()), pace.patience());
        } catch (WorkerLostException | IOException e) {
            // The cell is given up: its worker is started again when it is needed.
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void keepTheBest() {
        Map<String, List<Lane>> byContender =
                lanes.stream().collect(Collectors.groupingBy(Lane::contender, LinkedHashMap::new, Collectors.toList()));
        byContender.forEach((contender, all) -> {
            if (all.size() > 1) {
                Map<String, Double> times = new LinkedHashMap<>();
                all.forEach(lane -> times.put(lane.configuration(), 1e6 * lane.first()));
                tried.put(contender, times);
            }
            List<Lane> sorted = all.stream().sorted(Comparator.comparingDouble(Lane::first)).toList();
            for (int i = 1; i < sorted.size(); i++) {
                Lane lane = sorted.get(i);
                if (i >= MOST_CONFIGURATIONS || lane.first() > LONG_CALL
                        || lane.first() > NEARLY_BEST * sorted.getFirst().first()) {
                    lanes.remove(lane);
                    dropQuietly(lane);
                }
            }
        });
    }

    private void rounds(long start, double seconds) throws InterruptedException, IOException, WorkerLostException {
        double fastest = lanes.stream().mapToDouble(Lane::first).min().orElse(0);
        double left = seconds - (System.nanoTime() - start) / 1e9;
        double slice = Math.min(
                pace.mostSlice(), Math.max(LEAST_SLICE, left / pace.rounds() / Math.max(1, lanes.size())));
        int clean = 0;
        for (int round = 0; clean < pace.rounds() && round < 2 * pace.rounds(); round++) {
            boolean enough = round >= pace.leastRounds();
            boolean late = (System.nanoTime() - start) / 1e9 > seconds;
            if (stopped.getAsBoolean() || lanes.isEmpty() || (enough && late)) {
                break;
            }
            clean += round(round, clean, fastest, slice) ? 1 : 0;
        }
    }

    /** One turn each, after so many clean rounds; true if the machine was ours. */
    private boolean round(int round, int clean, double fastest, double slice)
            throws InterruptedException, IOException, WorkerLostException {
        Optional<Duration> machine = ProcessorUse.ofMachine();
        Duration own = team.cpu();
        long start = System.nanoTime();
        peaks.add(team.askMachine(Request.peak(team.threads(), PEAK_SECONDS), pace.patience()).rates().getFirst());
        List<Lane> order = List.copyOf(lanes);
        for (int i = 0; i < order.size(); i++) {
            Lane lane = order.get((i + round) % order.size());
            boolean isHopeless = lane.first() > HOPELESS * fastest && clean >= pace.leastRounds();
            if (isHopeless || !lanes.contains(lane)) {
                continue;
            }
            Optional<Reply> reply = ask(
                    lane, Request.slice(lane.number(), slice), slice + pace.patience(cell, 1));
            reply.ifPresent(lane::add);
        }
        double seconds = (System.nanoTime() - start) / 1e9;
        double share = machine.isEmpty()
                ? 0
                : ProcessorUse.share(
                        ProcessorUse.ofMachine().orElseThrow().minus(machine.get()), team.cpu().minus(own), seconds);
        others.add(share);
        return share < NOTICEABLE;
    }

    /** The clean rounds, or all if too few are clean. */
    private List<Integer> counting() {
        List<Integer> clean =
                IntStream.range(0, others.size()).filter(i -> others.get(i) < NOTICEABLE).boxed().toList();
        return clean.size() >= pace.leastRounds() ? clean : IntStream.range(0, others.size()).boxed().toList();
    }

    private CellReport report(Reply rates) {
        List<Integer> counting = counting();
        List<Measurement> measurements = new ArrayList<>();
        for (String contender : team.names()) {
            Optional<Measurement> best = lanes.stream()
                    .filter(lane -> lane.contender().equals(contender))
                    .map(lane -> measurement(lane, counting))
                    .min(Comparator.comparingDouble(Measurement::median));
            best.or(() -> Optional.ofNullable(lost.get(contender))).ifPresent(measurements::add);
        }
        double worst = counting.stream().mapToDouble(others::get).max().orElse(0);
        return new CellReport(
                cell, measurements,
                new Conditions(
                        Statistics.median(at(peaks, counting)), rates.rates().get(0), rates.rates().get(1),
                        rates.rates().get(2), counting.size(), others.size() - counting.size(), worst,
                        worst >= NOTICEABLE, ProcessorUse.gigahertz().orElse(null)));
    }

    private Measurement measurement(Lane lane, List<Integer> counting) {
        List<Double> slices = at(lane.rounds(), counting);
        return new Measurement(
                lane.contender(), Outcome.MEASURED, lane.configuration(), lane.checked(),
                slices.isEmpty() ? lane.rounds() : slices, lane.calls(),
                tried.getOrDefault(lane.contender(), Map.of()));
    }

    private static List<Double> at(List<Double> values, List<Integer> counting) {
        return counting.stream().filter(i -> i < values.size()).map(values::get).toList();
    }
}
