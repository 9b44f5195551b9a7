package dev.gru4j.io;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The header of a safetensors file, every rule of the format checked: a JSON object from tensor name to
 * {@code {"dtype": …, "shape": […], "data_offsets": [begin, end]}}, and {@code __metadata__}, an object of
 * strings. The byte ranges of the tensors cover the data exactly: no overlap, no hole, nothing behind.
 *
 * @param metadata in the order of the file
 * @param tensors in the order of their data
 */
record SafetensorsHeader(Map<String, String> metadata, List<TensorInfo> tensors) {
    static final String METADATA = "__metadata__";

    /** Bytes before the header: its length as a little-endian 64-bit integer. */
    static final int LENGTH_BYTES = 8;

    /** The format's own limit for the header, in bytes. */
    static final long MAX_HEADER_BYTES = 100_000_000;

    /**
     * Reads and checks a header.
     *
     * @param path for messages
     * @param json text of the header
     * @param dataBytes bytes of the file behind the header
     */
    static SafetensorsHeader parse(Path path, String json, long dataBytes) throws WeightFileException {
        if (!json.startsWith("{")) {
            throw new WeightFileException(path + ": the header does not begin with '{'");
        }
        Object root;
        try {
            root = Json.parse(json);
        } catch (Json.SyntaxException e) {
            throw new WeightFileException(path + ": the header is not valid JSON: " + e.getMessage());
        }
        Map<String, String> metadata = Map.of();
        List<TensorInfo> tensors = new ArrayList<>();
        for (Map.Entry<?, ?> entry : ((Map<?, ?>) root).entrySet()) {
            String name = (String) entry.getKey();
            if (name.equals(METADATA)) {
                metadata = metadata(path, entry.getValue());
            } else {
                tensors.add(new Entry(path, name).tensor(entry.getValue(), dataBytes));
            }
        }
        tensors.sort(Comparator.comparingLong(TensorInfo::begin).thenComparingLong(TensorInfo::end));
        checkCover(path, tensors, dataBytes);
        return new SafetensorsHeader(metadata, List.copyOf(tensors));
    }

    private static Map<String, String> metadata(Path path, Object value) throws WeightFileException {
        if (!(value instanceof Map<?, ?> map)) {
            throw new WeightFileException(path + ": " + METADATA + " is " + describe(value) + "; an object of strings"
                    + " expected");
        }
        Map<String, String> strings = new LinkedHashMap<>();
        for (Map.Entry<?, ?> entry : map.entrySet()) {
            if (!(entry.getValue() instanceof String string)) {
                throw new WeightFileException(path + ": " + METADATA + " entry '" + entry.getKey() + "' is "
                        + describe(entry.getValue()) + "; a string expected");
            }
            strings.put((String) entry.getKey(), string);
        }
        return Collections.unmodifiableMap(strings);
    }

    private static void checkCover(Path path, List<TensorInfo> sorted, long dataBytes) throws WeightFileException {
        long covered = 0;
        String before = "the header";
        for (TensorInfo tensor : sorted) {
            if (tensor.begin() < covered) {
                throw new WeightFileException(path + ": tensor '" + tensor.name() + "' begins at byte " + tensor.begin()
                        + " and overlaps " + before + ", which ends at byte " + covered + " of the data");
            }
            if (tensor.begin() > covered) {
                throw new WeightFileException(
                        path + ": bytes " + covered + " to " + tensor.begin() + " of the data, between "
                                + before + " and tensor '" + tensor.name() + "', belong to no tensor");
            }
            covered = tensor.end();
            before = "tensor '" + tensor.name() + "'";
        }
        if (covered < dataBytes) {
            throw new WeightFileException(path + ": the file has " + (dataBytes - covered) + " bytes behind " + before
                    + "; the data was expected to end at its byte " + covered);
        }
    }

    private static String describe(Object value) {
        String kind =
                switch (value) {
                    case Map<?, ?> m -> "an object";
                    case List<?> l -> "an array";
                    case String s -> "the string '" + s + "'";
                    default -> value.toString();
                };
        return kind.length() <= 60 ? kind : kind.substring(0, 57) + "...";
    }

    /** One tensor's entry while it is checked. */
    private record Entry(Path path, String name) {
        TensorInfo tensor(Object value, long dataBytes) throws WeightFileException {
            if (!(value instanceof Map<?, ?> fields)) {
                throw wrong("is " + describe(value) + "; an object expected");
            }
            for (Object field : fields.keySet()) {
                if (!field.equals("dtype") && !field.equals("shape") && !field.equals("data_offsets")) {
                    throw wrong("has a field '" + field + "'; only dtype, shape and data_offsets expected");
                }
            }
            DType dtype = dtype(field(fields, "dtype"));
            List<Long> shape = integers("shape", field(fields, "shape"));
            List<Long> offsets = integers("data_offsets", field(fields, "data_offsets"));
            if (offsets.size() != 2) {
                throw wrong("data_offsets has " + offsets.size() + " numbers; [begin, end] expected");
            }
            long begin = offsets.get(0);
            long end = offsets.get(1);
            if (begin > end) {
                throw wrong("data_offsets are " + offsets + "; begin <= end expected");
            }
            if (end > dataBytes) {
                throw wrong("data ends at byte " + end + "; the file has only " + dataBytes + " bytes of data");
            }
            long expected = bytes(dtype, shape);
            if (end - begin != expected) {
                throw wrong(
                        "data_offsets span " + (end - begin) + " bytes; " + expected + " expected for " + dtype + " "
                                + shape);
            }
            return new TensorInfo(name, dtype, shape, begin, end);
        }

        private Object field(Map<?, ?> fields, String field) throws WeightFileException {
            Object value = fields.get(field);
            if (value == null) {
                throw wrong("has no field '" + field + "'");
            }
            return value;
        }

        private DType dtype(Object value) throws WeightFileException {
            if (!(value instanceof String text)) {
                throw wrong("dtype is " + describe(value) + "; a string expected");
            }
            return DType.named(text)
                    .orElseThrow(
                            () -> wrong("dtype is '" + text + "'; one of " + List.of(DType.values()) + " expected"));
        }

        private List<Long> integers(String field, Object value) throws WeightFileException {
            if (!(value instanceof List<?> list)) {
                throw wrong(field + " is " + describe(value) + "; an array expected");
            }
            List<Long> integers = new ArrayList<>();
            for (Object element : list) {
                if (!(element instanceof Long integer) || integer < 0) {
                    throw wrong(field + "[" + integers.size() + "] is " + describe(element)
                            + "; an integer, 0 to 2^63 - 1, expected");
                }
                integers.add(integer);
            }
            return integers;
        }

        private long bytes(DType dtype, List<Long> shape) throws WeightFileException {
            try {
                long bytes = dtype.bytes();
                for (long size : shape) {
                    bytes = Math.multiplyExact(bytes, size);
                }
                return bytes;
            } catch (ArithmeticException e) {
                throw wrong("shape " + shape + " of " + dtype + " has more than 2^63 - 1 bytes");
            }
        }

        private WeightFileException wrong(String what) {
            return new WeightFileException(path + ": tensor '" + name + "' " + what);
        }
    }
}
