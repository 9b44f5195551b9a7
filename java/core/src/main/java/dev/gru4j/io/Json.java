package dev.gru4j.io;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A strict reader of JSON (RFC 8259), as small as a weight file's header needs. Objects become
 * {@link Map} (in order), arrays {@link List}, strings {@link String}, true and false {@link Boolean},
 * integers {@link Long} where they fit and every other number {@link BigDecimal}; null is {@link #NULL}.
 *
 * <p>Stricter than the RFC where it leaves a choice: a duplicate key, an unpaired surrogate and more than
 * {@value #MAX_DEPTH} nested levels are errors.
 */
final class Json {
    /** Deep enough for any header, shallow enough for any stack. */
    static final int MAX_DEPTH = 16;

    /** The value null. */
    static final Object NULL = new Object() {
        @Override
        public String toString() {
            return "null";
        }
    };

    /** More digits than any number a header may hold; keeps a hostile exponent or digit row cheap. */
    private static final int MAX_NUMBER_LENGTH = 64;

    private final String text;
    private int at;

    private Json(String text) {
        this.text = text;
    }

    /** Text that is not JSON; the message says what was found and at which character. */
    static final class SyntaxException extends Exception {
        private static final long serialVersionUID = 1;

        SyntaxException(String message) {
            super(message);
        }
    }

    /** The one value that {@code text} holds, white space around it allowed. */
    static Object parse(String text) throws SyntaxException {
        Json json = new Json(text);
        Object value = json.value(0);
        json.skipSpace();
        if (json.at < text.length()) {
            throw json.unexpected("the end");
        }
        return value;
    }

    private Object value(int depth) throws SyntaxException {
        if (depth > MAX_DEPTH) {
            throw new SyntaxException("more than " + MAX_DEPTH + " nested levels at character " + at);
        }
        skipSpace();
        return switch (peek()) {
            case '{' -> object(depth);
            case '[' -> array(depth);
            case '"' -> string();
            case 't' -> literal("true", true);
            case 'f' -> literal("false", false);
            case 'n' -> literal("null", NULL);
            default -> number();
        };
    }

    private Map<String, Object> object(int depth) throws SyntaxException {
        Map<String, Object> members = new LinkedHashMap<>();
        at++;
        skipSpace();
        if (take('}')) {
            return members;
        }
        while (true) {
            skipSpace();
            int keyAt = at;
            if (peek() != '"') {
                throw unexpected("a key in double quotes");
            }
            String key = string();
            skipSpace();
            if (!take(':')) {
                throw unexpected("':' after key '" + key + "'");
            }
            if (members.put(key, value(depth + 1)) != null) {
                throw new SyntaxException("key '" + key + "' appears twice, again at character " + keyAt);
            }
            skipSpace();
            if (take('}')) {
                return members;
            }
            if (!take(',')) {
                throw unexpected("',' or '}'");
            }
        }
    }

    private List<Object> array(int depth) throws SyntaxException {
        List<Object> elements = new ArrayList<>();
        at++;
        skipSpace();
        if (take(']')) {
            return elements;
        }
        while (true) {
            elements.add(value(depth + 1));
            skipSpace();
            if (take(']')) {
                return elements;
            }
            if (!take(',')) {
                throw unexpected("',' or ']'");
            }
        }
    }

    private String string() throws SyntaxException {
        int start = at++;
        StringBuilder out = new StringBuilder();
        while (true) {
            if (at == text.length()) {
                throw new SyntaxException("the string that begins at character " + start + " does not end");
            }
            char c = text.charAt(at);
            if (c == '"') {
                at++;
                break;
            }
            if (c < ' ') {
                throw unexpected("an escape instead of a control character in a string");
            }
            at++;
            out.append(c == '\\' ? escape() : c);
        }
        for (int i = 0; i < out.length(); i++) {
            boolean pair = i + 1 < out.length() && Character.isSurrogatePair(out.charAt(i), out.charAt(i + 1));
            if (pair) {
                i++;
            } else if (Character.isSurrogate(out.charAt(i))) {
                throw new SyntaxException("unpaired surrogate in the string that begins at character " + start);
            }
        }
        return out.toString();
    }

    private char escape() throws SyntaxException {
        char c = peek();
        at++;
        return switch (c) {
            case '"', '\\', '/' -> c;
            case 'b' -> '\b';
            case 'f' -> '\f';
            case 'n' -> '\n';
            case 'r' -> '\r';
            case 't' -> '\t';
            case 'u' -> unicode();
            default -> {
                at--;
                throw unexpected("one of \"\\/bfnrtu after a backslash");
            }
        };
    }

    private char unicode() throws SyntaxException {
        int code = 0;
        for (int i = 0; i < 4; i++, at++) {
            char c = peek();
            int digit = c < 0x80 ? Character.digit(c, 16) : -1;
            if (digit < 0) {
                throw unexpected("four hexadecimal digits after \\u");
            }
            code = code << 4 | digit;
        }
        return (char) code;
    }

    private Object literal(String word, Object meaning) throws SyntaxException {
        if (!text.startsWith(word, at)) {
            throw unexpected("a value");
        }
        at += word.length();
        return meaning;
    }

    private Object number() throws SyntaxException {
        int start = at;
        take('-');
        if (!take('0')) {
            digits("a value");
        }
        boolean integer = true;
        if (take('.')) {
            integer = false;
            digits("a digit after the decimal point");
        }
        if (take('e') || take('E')) {
            integer = false;
            if (!take('+')) {
                take('-');
            }
            digits("a digit in the exponent");
        }
        if (at - start > MAX_NUMBER_LENGTH) {
            throw new SyntaxException(
                    "number of " + (at - start) + " characters at character " + start + "; at most "
                            + MAX_NUMBER_LENGTH + " expected");
        }
        String token = text.substring(start, at);
        if (integer) {
            try {
                return Long.parseLong(token);
            } catch (NumberFormatException e) {
                return new BigDecimal(token); // beyond a long
            }
        }
        try {
            return new BigDecimal(token);
        } catch (NumberFormatException e) {
            throw new SyntaxException("the exponent of " + token + " at character " + start + " is too large");
        }
    }

    private void digits(String expected) throws SyntaxException {
        int start = at;
        while (at < text.length() && text.charAt(at) >= '0' && text.charAt(at) <= '9') {
            at++;
        }
        if (at == start) {
            throw unexpected(expected);
        }
    }

    private void skipSpace() {
        while (at < text.length() && " \t\n\r".indexOf(text.charAt(at)) >= 0) {
            at++;
        }
    }

    /** The next character, or 0 at the end: no JSON text has a raw 0. */
    private char peek() {
        return at < text.length() ? text.charAt(at) : 0;
    }

    private boolean take(char c) {
        if (at < text.length() && text.charAt(at) == c) {
            at++;
            return true;
        }
        return false;
    }

    private SyntaxException unexpected(String expected) {
        String found = at < text.length() ? describe(text.charAt(at)) : "the end";
        return new SyntaxException(found + " at character " + at + "; " + expected + " expected");
    }

    private static String describe(char c) {
        return c > ' ' && c < 0x7f ? "'" + c + "'" : String.format("U+%04X", (int) c);
    }

    /** Appends {@code value} as a JSON string. */
    static void quote(String value, StringBuilder out) {
        out.append('"');
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            if (c == '"' || c == '\\') {
                out.append('\\').append(c);
            } else if (c < ' ') {
                out.append(String.format("\\u%04x", (int) c));
            } else {
                out.append(c);
            }
        }
        out.append('"');
    }
}
