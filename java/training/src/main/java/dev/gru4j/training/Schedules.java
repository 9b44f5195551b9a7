package dev.gru4j.training;

/** The schedules that {@link Schedule} offers. */
final class Schedules {
    private Schedules() {}

    record Constant(float rate) implements Schedule {
        Constant {
            checkRate(rate);
        }

        @Override
        public float rate(long step, long totalSteps) {
            return rate;
        }

        @Override
        public double freeShare() {
            return 1;
        }

        @Override
        public String description() {
            return "constant " + rate;
        }
    }

    record Cosine(float peak, long warmup) implements Schedule {
        Cosine {
            checkRate(peak);
            checkWarmup(warmup);
        }

        @Override
        public float rate(long step, long totalSteps) {
            if (step < warmup) {
                return rising(peak, step, warmup);
            }
            double done = (double) (step - warmup) / Math.max(1, totalSteps - warmup);
            return (float) (peak * 0.5 * (1 + StrictMath.cos(Math.PI * Math.min(1, done))));
        }

        @Override
        public double freeShare() {
            return 0;
        }

        @Override
        public String description() {
            return "warm-up " + warmup + ", cosine from " + peak + " to 0";
        }
    }

    record Trapezoid(float peak, long warmup, int decayPercent) implements Schedule {
        Trapezoid {
            checkRate(peak);
            checkWarmup(warmup);
            if (decayPercent < 1 || decayPercent > 100) {
                throw new IllegalArgumentException("decayPercent is " + decayPercent + "; 1 to 100 expected");
            }
        }

        @Override
        public float rate(long step, long totalSteps) {
            float rising = rising(peak, step, warmup);
            long decaySteps = decaySteps(totalSteps);
            long left = totalSteps - step;
            if (left >= decaySteps) {
                return rising;
            }
            return Math.min(rising, (float) (peak * ((double) left / decaySteps)));
        }

        /** In integers, so that the first step of the decay is not a matter of rounding. */
        private long decaySteps(long totalSteps) {
            return totalSteps / 100 * decayPercent + totalSteps % 100 * decayPercent / 100;
        }

        @Override
        public double freeShare() {
            return (100 - decayPercent) / 100.0;
        }

        @Override
        public String description() {
            return "warm-up " + warmup + ", " + peak + ", linear to 0 over the last " + decayPercent + " %";
        }
    }

    private static float rising(float peak, long step, long warmup) {
        return step >= warmup ? peak : (float) (peak * ((double) (step + 1) / warmup));
    }

    private static void checkRate(float rate) {
        if (!(rate > 0 && rate < Float.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException("learning rate is " + rate + "; a positive number expected");
        }
    }

    private static void checkWarmup(long warmup) {
        if (warmup < 0) {
            throw new IllegalArgumentException("warmup is " + warmup + " steps; 0 or more expected");
        }
    }
}
