package dev.gru4j.benchmarks.comparison;

import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;

/** Contenders that misbehave, and one that does not. All compute by the reference. */
public abstract class FakeContender implements Contender {
    private final String name;

    FakeContender(String name) {
        this.name = name;
    }

    /** Behaves. */
    public static final class Honest extends FakeContender {
        public Honest() {
            super("honest");
        }

        @Override
        public List<String> configurations(Cell cell) {
            return List.of("one", "two");
        }
    }

    /** Its process ends in the middle of a call, after some that went well. */
    public static final class Dying extends FakeContender {
        private int calls;

        public Dying() {
            super("dying");
        }

        @Override
        void beforeCall() {
            if (++calls > 4) {
                System.err.println("corrupted size vs. prev_size");
                Runtime.getRuntime().halt(134);
            }
        }
    }

    /** Its first call never returns. */
    public static final class Hanging extends FakeContender {
        public Hanging() {
            super("hanging");
        }

        @Override
        void beforeCall() {
            try {
                new CountDownLatch(1).await(10, TimeUnit.MINUTES);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** Returns something else than it should, from a call on. */
    static final class Lying extends FakeContender {
        private final UnaryOperator<Results> lie;
        private final int honestCalls;
        private int calls;

        Lying(int honestCalls, UnaryOperator<Results> lie) {
            super("lying");
            this.honestCalls = honestCalls;
            this.lie = lie;
        }

        @Override
        void beforeCall() {
            calls++;
        }

        @Override
        Results returned(Results results) {
            return calls > honestCalls ? lie.apply(results) : results;
        }
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public String description() {
        return name + ", by the reference";
    }

    @Override
    public Optional<String> unavailable() {
        return Optional.empty();
    }

    @Override
    public Optional<String> refuses(Cell cell) {
        return cell.threads() > 1 ? Optional.of("has one thread") : Optional.empty();
    }

    @Override
    public List<String> configurations(Cell cell) {
        return List.of("only");
    }

    void beforeCall() {}

    Results returned(Results results) {
        return results;
    }

    @Override
    public Prepared prepare(Cell cell, String configuration, Problem problem) {
        Prepared reference = new Gru4jContender.Reference().prepare(cell, "default", problem);
        return new Prepared() {
            @Override
            public void run() {
                beforeCall();
                // What native libraries print must not get between the answers.
                System.out.println("a line on standard output");
                reference.run();
            }

            @Override
            public Results results() {
                return returned(reference.results());
            }

            @Override
            public void close() {
                reference.close();
            }
        };
    }
}
