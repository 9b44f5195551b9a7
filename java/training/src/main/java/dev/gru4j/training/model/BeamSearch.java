package dev.gru4j.training.model;

import dev.gru4j.backend.FloatMemory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/**
 * Beam search for several sources side by side. Each keeps its {@code width} likeliest unfinished
 * candidates; a finished one counts by its log probability divided by its number of tokens. Ties go to
 * the earlier candidate and the lower token, so the result is a function of the logits.
 */
final class BeamSearch {
    /** A beginning of a target: its tokens, its log probability and the row of its state. */
    @SuppressWarnings("ArrayRecordComponent") // Never compared.
    private record Candidate(int[] tokens, double logProbability, int row) {
        double score(int end) {
            return logProbability / (tokens.length + end);
        }
    }

    /** One way to go on: candidate {@code parent} and the token behind it. */
    private record Extension(Candidate parent, int token, double logProbability) {}

    /** The search for one source. */
    private static final class Beam {
        List<Candidate> live;
        final List<Candidate> finished = new ArrayList<>();

        Beam(int row) {
            live = List.of(new Candidate(new int[0], 0, row));
        }
    }

    private final StepDecoder decoder;
    private final int vocabulary;
    private final int boundary;
    private final int maxLength;
    private final int width;
    private final float[] logits;

    BeamSearch(StepDecoder decoder, int vocabulary, int boundary, int maxLength, int width) {
        this.decoder = decoder;
        this.vocabulary = vocabulary;
        this.boundary = boundary;
        this.maxLength = maxLength;
        this.width = width;
        this.logits = new float[Math.multiplyExact(decoder.maxRows(), vocabulary)];
    }

    /** The best target for each of {@code sources} rows of states h0 (L,sources,H). */
    List<int[]> decode(FloatMemory h0, int sources) {
        List<Beam> beams = new ArrayList<>(sources);
        int[] parents = new int[sources];
        int[] tokens = new int[sources];
        for (int k = 0; k < sources; k++) {
            beams.add(new Beam(k));
            parents[k] = k;
            tokens[k] = boundary;
        }
        decoder.startFrom(h0, sources, parents);
        int rows = sources;
        for (int length = 0; length < maxLength && rows > 0; length++) {
            decoder.step(tokens, rows, logits);
            List<Candidate> next = new ArrayList<>();
            for (Beam beam : beams) {
                extend(beam);
                next.addAll(beam.live);
            }
            if (!next.isEmpty()) {
                parents = next.stream().mapToInt(Candidate::row).toArray();
                tokens = next.stream().mapToInt(c -> c.tokens()[c.tokens().length - 1]).toArray();
                decoder.startFrom(decoder.states(), rows, parents);
            }
            rows = next.size();
            renumber(beams);
        }
        return beams.stream().map(this::best).toList();
    }

    /** Replaces the live candidates by their best extensions; their row is still that of the parent. */
    private void extend(Beam beam) {
        List<Extension> extensions = new ArrayList<>();
        for (Candidate candidate : beam.live) {
            int from = candidate.row() * vocabulary;
            double logSum = logSumExp(from);
            for (int token = 0; token < vocabulary; token++) {
                extensions.add(
                        new Extension(candidate, token, candidate.logProbability() + logits[from + token] - logSum));
            }
        }
        extensions.sort(Comparator.comparingDouble(e -> -e.logProbability())); // stable: ties stay in order
        List<Candidate> live = new ArrayList<>(width);
        for (Extension e : extensions.subList(0, Math.min(width, extensions.size()))) {
            int[] known = e.parent().tokens();
            if (e.token() == boundary) {
                beam.finished.add(new Candidate(known, e.logProbability(), e.parent().row()));
            } else {
                int[] longer = Arrays.copyOf(known, known.length + 1);
                longer[known.length] = e.token();
                live.add(new Candidate(longer, e.logProbability(), e.parent().row()));
            }
        }
        beam.live = live.stream().anyMatch(c -> mayBeat(beam, c)) ? List.copyOf(live) : List.of();
    }

    /** Whether a candidate could still become better than all finished ones: if all further tokens were certain. */
    private boolean mayBeat(Beam beam, Candidate live) {
        double bestPossible = live.logProbability() / (maxLength + 1);
        return beam.finished.stream().noneMatch(c -> c.score(1) >= bestPossible);
    }

    private double logSumExp(int from) {
        double largest = Double.NEGATIVE_INFINITY;
        for (int token = 0; token < vocabulary; token++) {
            largest = Math.max(largest, logits[from + token]);
        }
        double sum = 0;
        for (int token = 0; token < vocabulary; token++) {
            sum += StrictMath.exp(logits[from + token] - largest);
        }
        return largest + StrictMath.log(sum);
    }

    /** The live candidates of all beams, in order, are now the rows 0, 1, … */
    private static void renumber(List<Beam> beams) {
        int row = 0;
        for (Beam beam : beams) {
            List<Candidate> live = new ArrayList<>(beam.live.size());
            for (Candidate c : beam.live) {
                live.add(new Candidate(c.tokens(), c.logProbability(), row++));
            }
            beam.live = live;
        }
    }

    private int[] best(Beam beam) {
        boolean isFinished = !beam.finished.isEmpty();
        List<Candidate> candidates = isFinished ? beam.finished : beam.live;
        return candidates.stream()
                .max(Comparator.comparingDouble(c -> c.score(isFinished ? 1 : 0)))
                .map(Candidate::tokens)
                .orElse(new int[0]);
    }
}
