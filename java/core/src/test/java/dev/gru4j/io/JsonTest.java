package dev.gru4j.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.math.BigDecimal;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class JsonTest {
    @Test
    void shouldReadEveryKindOfValue() throws Exception {
        assertEquals(
                Map.of(
                        "a", List.of(1L, -2L, 0L, new BigDecimal("1.5e3")),
                        "b", true,
                        "c", false,
                        "d", Json.NULL,
                        "e", Map.of(),
                        "f", List.of(),
                        "g", "x"),
                Json.parse(
                        " {\"a\":[1,-2 , 0,1.5e3],\"b\":true,\"c\":false,"
                                + "\"d\":null,\r\n\t\"e\":{},\"f\":[ ],\"g\":\"x\"} "));
    }

    @Test
    void shouldKeepIntegersBeyondALongExactly() throws Exception {
        assertEquals(new BigDecimal("9223372036854775808"), Json.parse("9223372036854775808"));
        assertEquals(Long.MAX_VALUE, Json.parse("9223372036854775807"));
    }

    @Test
    void shouldReadEveryEscape() throws Exception {
        assertEquals("\"\\/\b\f\n\r\té\ud83d\ude00", Json.parse("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\uD83D\\uDE00\""));
    }

    @Test
    void aQuotedStringReadsBackUnchanged() throws Exception {
        String hard = "a\"b\\c\u0000\u001f\n\t/é\ud83d\ude00";
        StringBuilder out = new StringBuilder();
        Json.quote(hard, out);
        assertEquals(hard, Json.parse(out.toString()));
    }

    @Test
    void nestingUpToTheLimitIsReadAndOneMoreIsRefused() throws Exception {
        String limit = "[".repeat(Json.MAX_DEPTH) + "0" + "]".repeat(Json.MAX_DEPTH);
        Json.parse(limit);
        assertEquals(
                "more than 16 nested levels at character 17",
                assertThrows(Json.SyntaxException.class, () -> Json.parse("[" + limit + "]")).getMessage());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{\"a\":1,\"a\":2} | key 'a' appears twice, again at character 7",
                "{\"a\":null,\"a\":null} | key 'a' appears twice, again at character 10",
                "{\"a\" 1}       | '1' at character 5; ':' after key 'a' expected",
                "{\"a\":1 \"b\":2} | '\"' at character 7; ',' or '}' expected",
                "{\"a\":1,}      | '}' at character 7; a key in double quotes expected",
                "{a:1}           | 'a' at character 1; a key in double quotes expected",
                "[1,]            | ']' at character 3; a value expected",
                "[1 2]           | '2' at character 3; ',' or ']' expected",
                "[1              | the end at character 2; ',' or ']' expected",
                "[1]]            | ']' at character 3; the end expected",
                "01              | '1' at character 1; the end expected",
                "-               | the end at character 1; a value expected",
                "1.              | the end at character 2; a digit after the decimal point expected",
                "1e              | the end at character 2; a digit in the exponent expected",
                "1e99999999999   | the exponent of 1e99999999999 at character 0 is too large",
                "NaN             | 'N' at character 0; a value expected",
                "nul             | 'n' at character 0; a value expected",
                "\"a             | the string that begins at character 0 does not end",
                "\"\\x\"         | 'x' at character 2; one of \"\\/bfnrtu after a backslash expected",
                "\"\\u12g4\"     | 'g' at character 5; four hexadecimal digits after \\u expected",
                "\"\\ud800\"     | unpaired surrogate in the string that begins at character 0",
                "\"\\ude00\\ud83d\" | unpaired surrogate in the string that begins at character 0",
            })
    void shouldSayWhatIsWrongAndWhere(String text, String message) {
        assertEquals(
                message, assertThrows(Json.SyntaxException.class, () -> Json.parse(text)).getMessage());
    }

    @Test
    void shouldRefuseARawControlCharacterInAString() {
        assertEquals(
                "U+000A at character 2; an escape instead of a control character in a string expected",
                assertThrows(Json.SyntaxException.class, () -> Json.parse("\"a\n\"")).getMessage());
    }

    @Test
    void shouldRefuseAnEmptyText() {
        assertEquals(
                "the end at character 0; a value expected",
                assertThrows(Json.SyntaxException.class, () -> Json.parse("")).getMessage());
    }

    @Test
    void shouldRefuseANumberOfAbsurdLength() {
        assertEquals(
                "number of 65 characters at character 0; at most 64 expected",
                assertThrows(Json.SyntaxException.class, () -> Json.parse("1".repeat(65))).getMessage());
    }
}
