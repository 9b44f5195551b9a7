package dev.gru4j.benchmarks.comparison;

/**
 * How long things may take.
 *
 * @param rounds wanted in every cell
 * @param leastRounds fewer are not taken for a measurement of a quiet machine
 * @param mostSlice seconds of a turn
 * @param warmUp most seconds before the first turn
 * @param machineWarmUp seconds for each loop that measures the machine
 * @param start seconds after which a worker that has not started is given up
 * @param patience seconds after which a worker that does not answer is given up, beside what its calls may take
 */
record Pace(int rounds, int leastRounds, double mostSlice, double warmUp, double machineWarmUp, double start,
        double patience) {
    static final Pace DEFAULT = new Pace(9, 3, 0.25, 4, 0.4, 60, 60);

    /** A call of the slowest contender that is worth waiting for does so many GFLOP/s. */
    private static final double SLOWEST = 1;

    /** Seconds to wait for some calls of a cell. */
    double patience(Cell cell, int calls) {
        return patience + calls * cell.flop() / (1e9 * SLOWEST);
    }
}
