package dev.gru4j.benchmarks;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.gru4j.GruShape;
import org.junit.jupiter.api.Test;
import org.openjdk.jmh.annotations.Param;

class ShapeTest {
    @Test
    void aShapeReadsTheSameInTablesAndOnTheCommandLine() {
        assertEquals(new GruShape(25, 64, 3, 128), Shape.parse("25x64x3x128"));
        assertEquals(new GruShape(25, 64, 3, 128), Shape.parse("25,64,3,128"));
    }

    @Test
    void threeNumbersAreNoShape() {
        IllegalArgumentException e = assertThrows(IllegalArgumentException.class, () -> Shape.parse("25x64x3"));
        assertEquals("shape is '25x64x3'; TxBxIxH expected, as in 64x64x256x512", e.getMessage());
    }

    /** JMH shows a parameter as it is given on its command line, and there a comma parts two values. */
    @Test
    void theShapeThatBenchmarksShowHasNoComma() throws NoSuchFieldException {
        for (Class<?> benchmark : new Class<?>[] {GruBenchmark.class, StageBenchmark.class}) {
            String[] values = benchmark.getField("shape").getAnnotation(Param.class).value();
            for (String value : values) {
                assertFalse(value.contains(","), benchmark + ": " + value);
                Shape.parse(value);
            }
        }
    }
}
