package dev.gru4j.cli;

import java.util.regex.Pattern;

/** Makes printed commands safe to paste. */
final class ShellWord {
    private static final Pattern PLAIN = Pattern.compile("[\\p{Alnum}_./:=+,@%^-]+");

    private ShellWord() {}

    /** The word itself if a shell takes it as it is, else in single quotes. */
    static String quote(String word) {
        return PLAIN.matcher(word).matches() ? word : "'" + word.replace("'", "'\\''") + "'";
    }
}
