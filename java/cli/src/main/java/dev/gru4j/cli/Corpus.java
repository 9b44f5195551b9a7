package dev.gru4j.cli;

import dev.gru4j.training.data.BatchSource;
import dev.gru4j.training.data.DataException;
import dev.gru4j.training.data.LanguageModelBatches;
import dev.gru4j.training.data.NgramModel;
import dev.gru4j.training.data.StreamBatches;
import dev.gru4j.training.data.TextFile;
import dev.gru4j.training.data.TokenBatch;
import dev.gru4j.training.data.UnicodeNames;
import dev.gru4j.training.data.Vocabulary;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * The text of a language model run: batches for the GRU and, of the same characters, sequences for the
 * n-gram models it is compared with.
 *
 * @param description for people
 * @param vocabulary of the training part
 * @param training batches to learn from
 * @param heldOut batches to be judged by
 * @param counted sequences the n-gram models count
 * @param judged sequences they are judged by, the same events as in {@code heldOut}
 * @param given symbols at the beginning of each judged sequence that are not events
 * @param prompt what a sample continues; empty: it starts anew, and ends where the model says so
 */
record Corpus(
        String description,
        Vocabulary vocabulary,
        BatchSource<TokenBatch> training,
        BatchSource<TokenBatch> heldOut,
        List<int[]> counted,
        List<int[]> judged,
        int given,
        String prompt) {

    /** A text shorter than this, in characters, has no held-out part worth the name. */
    private static final int MIN_CHARACTERS = 400;

    /** One part in so many, at the end of a text, is held out. */
    private static final int TEXT_HELD_OUT_ONE_IN = 20;

    /** Rows of a stream shorter than this many windows start from an empty state too often. */
    private static final int MIN_WINDOWS_PER_ROW = 4;

    private static final int PROMPT_CHARACTERS = 32;

    /**
     * The text file, or the Unicode names without one.
     *
     * @param batch rows of a batch
     * @param window T of a batch cut out of a text; names are as long as they are
     */
    static Corpus of(@Nullable Path text, int batch, int window, long seed) throws IOException {
        return text == null ? ofNames(batch, seed) : ofText(text, batch, window);
    }

    private static Corpus ofNames(int batch, long seed) {
        UnicodeNames names = UnicodeNames.load();
        Vocabulary vocabulary = Vocabulary.of(names.training());
        List<int[]> training = names.training().stream().map(vocabulary::encode).toList();
        List<int[]> heldOut = names.heldOut().stream().map(vocabulary::encode).toList();
        return new Corpus(
                String.format(
                        Locale.ROOT, "%,d Unicode character names, %,d more held out", training.size(), heldOut.size()),
                vocabulary,
                new LanguageModelBatches(training, Vocabulary.END, batch, seed),
                new LanguageModelBatches(heldOut, Vocabulary.END, batch, seed),
                names.training().stream().map(vocabulary::encodeWithEnd).toList(),
                names.heldOut().stream().map(vocabulary::encodeWithEnd).toList(),
                0,
                "");
    }

    private static Corpus ofText(Path file, int batch, int window) throws IOException {
        int[] characters = TextFile.read(file).codePoints().toArray();
        if (characters.length < MIN_CHARACTERS) {
            throw new DataException(file + " has " + characters.length + " characters; at least " + MIN_CHARACTERS
                    + " expected, one in " + TEXT_HELD_OUT_ONE_IN + " of which is held out");
        }
        int cut = characters.length - characters.length / TEXT_HELD_OUT_ONE_IN;
        int[] trainingText = Arrays.copyOf(characters, cut);
        Vocabulary vocabulary = Vocabulary.of(trainingText);
        int[] training = vocabulary.encode(trainingText);
        int[] heldOut = vocabulary.encode(Arrays.copyOfRange(characters, cut, characters.length));
        int rows = rows(heldOut, batch, window);
        return new Corpus(
                String.format(
                        Locale.ROOT, "%,d characters of %s, the %,d at its end held out", training.length, file,
                        heldOut.length),
                vocabulary,
                new StreamBatches(training, rows(training, batch, window), window),
                new StreamBatches(heldOut, rows, window),
                List.of(training),
                streams(heldOut, rows),
                1,
                new String(characters, cut, Math.min(PROMPT_CHARACTERS, heldOut.length)));
    }

    private static int rows(int[] tokens, int most, int window) {
        return Math.clamp(tokens.length / ((long) MIN_WINDOWS_PER_ROW * window), 1, most);
    }

    /** The streams that {@link StreamBatches} reads: equally long, each from its first token to the last target. */
    private static List<int[]> streams(int[] tokens, int rows) {
        int targets = (tokens.length - 1) / rows;
        return IntStream.range(0, rows)
                .mapToObj(row -> Arrays.copyOfRange(tokens, row * targets, row * targets + targets + 1))
                .toList();
    }

    /** Held-out bits per character of n-gram models of these orders; takes a second. */
    List<Double> ngramBits(int... orders) {
        List<Double> bits = new ArrayList<>();
        for (int order : orders) {
            bits.add(NgramModel.train(order, vocabulary.size(), counted).bitsPerEvent(judged, given));
        }
        return bits;
    }

    /** Number of events that everyone is asked to predict. */
    long events() {
        return judged.stream().mapToLong(s -> s.length - given).sum();
    }
}
