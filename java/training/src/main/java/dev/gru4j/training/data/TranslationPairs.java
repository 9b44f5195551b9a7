package dev.gru4j.training.data;

import java.io.IOException;
import java.nio.file.Path;
import java.time.ZoneId;
import java.time.format.TextStyle;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Currency;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TimeZone;
import java.util.TreeMap;

/**
 * Source texts and their translations, split by {@link HeldOut} of the source. A source occurs once, so no
 * held-out source was seen in training.
 *
 * @param training the pairs to learn from
 * @param heldOut the pairs to be judged by, about one in {@value #ONE_IN}
 */
public record TranslationPairs(List<Pair> training, List<Pair> heldOut) {
    /** One pair in this many is held out: 10 %, since there are few. */
    public static final int ONE_IN = 10;

    /** A text and its translation. */
    public record Pair(String source, String target) {}

    public TranslationPairs {
        training = List.copyOf(training);
        heldOut = List.copyOf(heldOut);
    }

    /**
     * English to French from the JDK's own locale data: countries, languages, locales, currencies and time
     * zones, about 2,200 pairs. Where a source has several translations the first of that list stays.
     */
    public static TranslationPairs ofJdk() {
        Map<String, String> pairs = new TreeMap<>();
        for (String country : Locale.getISOCountries()) {
            Locale locale = Locale.of("", country);
            add(pairs, locale.getDisplayCountry(Locale.ENGLISH), locale.getDisplayCountry(Locale.FRENCH));
        }
        for (String language : Locale.getISOLanguages()) {
            Locale locale = Locale.of(language);
            add(pairs, locale.getDisplayLanguage(Locale.ENGLISH), locale.getDisplayLanguage(Locale.FRENCH));
        }
        Locale[] locales = Locale.getAvailableLocales();
        Arrays.sort(locales, (a, b) -> a.toLanguageTag().compareTo(b.toLanguageTag()));
        for (Locale locale : locales) {
            add(pairs, locale.getDisplayLanguage(Locale.ENGLISH), locale.getDisplayLanguage(Locale.FRENCH));
            add(pairs, locale.getDisplayName(Locale.ENGLISH), locale.getDisplayName(Locale.FRENCH));
        }
        Currency.getAvailableCurrencies().stream()
                .sorted((a, b) -> a.getCurrencyCode().compareTo(b.getCurrencyCode()))
                .forEach(c -> add(pairs, c.getDisplayName(Locale.ENGLISH), c.getDisplayName(Locale.FRENCH)));
        ZoneId.getAvailableZoneIds().stream().sorted().forEach(id -> addZone(pairs, id));
        return split(pairs);
    }

    /**
     * Pairs from a UTF-8 file with one {@code source<TAB>target} per line; empty lines are skipped.
     *
     * @throws DataException naming the line, if one does not have exactly two non-empty columns or repeats
     *     a source with another target, or if a part of the split stays empty
     */
    public static TranslationPairs read(Path file) throws IOException {
        Map<String, String> pairs = new TreeMap<>();
        List<String> lines = TextFile.read(file).lines().toList();
        for (int i = 0; i < lines.size(); i++) {
            if (lines.get(i).isBlank()) {
                continue;
            }
            String[] columns = lines.get(i).split("\t", -1);
            String where = file + " line " + (i + 1);
            if (columns.length != 2) {
                throw new DataException(
                        where + " has " + columns.length + " tab-separated columns; source and target expected");
            }
            if (columns[0].isBlank() || columns[1].isBlank()) {
                throw new DataException(
                        where + " has an empty " + (columns[0].isBlank() ? "source" : "target") + "; text expected");
            }
            String before = pairs.putIfAbsent(columns[0], columns[1]);
            if (before != null && !before.equals(columns[1])) {
                throw new DataException(where + " repeats the source '" + columns[0] + "' with another target ('"
                        + before + "' before); one target per source expected");
            }
        }
        TranslationPairs result = split(pairs);
        if (result.training.isEmpty() || result.heldOut.isEmpty()) {
            throw new DataException(file + " has " + pairs.size() + " pairs, of which the split by hash puts "
                    + result.heldOut.size() + " into the held-out part; more pairs expected, so that neither part is "
                    + "empty");
        }
        return result;
    }

    private static TranslationPairs split(Map<String, String> pairs) {
        List<Pair> training = new ArrayList<>();
        List<Pair> heldOut = new ArrayList<>();
        pairs.forEach((source, target) -> (HeldOut.contains(source, ONE_IN) ? heldOut : training)
                .add(new Pair(source, target)));
        return new TranslationPairs(training, heldOut);
    }

    private static void addZone(Map<String, String> pairs, String id) {
        // Ids without a region (EST, UTC, SystemV) repeat others, and the JDK warns about the three-letter ones.
        if (!id.contains("/") || id.startsWith("SystemV/")) {
            return;
        }
        ZoneId zone = ZoneId.of(id);
        add(
                pairs,
                zone.getDisplayName(TextStyle.FULL, Locale.ENGLISH),
                zone.getDisplayName(TextStyle.FULL, Locale.FRENCH));
        TimeZone names = TimeZone.getTimeZone(id);
        for (boolean daylight : new boolean[] {false, true}) {
            add(
                    pairs,
                    names.getDisplayName(daylight, TimeZone.LONG, Locale.ENGLISH),
                    names.getDisplayName(daylight, TimeZone.LONG, Locale.FRENCH));
        }
    }

    private static void add(Map<String, String> pairs, String source, String target) {
        if (!source.isBlank() && !target.isBlank()) {
            pairs.putIfAbsent(source, target);
        }
    }
}
