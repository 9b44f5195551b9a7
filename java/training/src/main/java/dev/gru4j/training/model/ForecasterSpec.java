package dev.gru4j.training.model;

import dev.gru4j.Directions;
import dev.gru4j.GruSpec;
import java.util.Map;
import java.util.TreeMap;

/**
 * A forecaster: real-valued inputs → GRU → dense head.
 *
 * @param gru the stack, forward only; its input size is the number of features per step
 * @param outputs values predicted at a position
 */
public record ForecasterSpec(GruSpec gru, int outputs) {
    public ForecasterSpec {
        if (outputs < 1) {
            throw new IllegalArgumentException("outputs is " + outputs + "; at least 1 expected");
        }
        if (gru.directions() != Directions.FORWARD) {
            throw new IllegalArgumentException("directions is " + gru.directions()
                    + "; FORWARD expected: a forecaster must not read what it predicts");
        }
    }

    /** As name and value. */
    public Map<String, String> configuration() {
        return new TreeMap<>(
                Map.of("model", "forecaster", "outputs", Integer.toString(outputs), "gru", gru.toString()));
    }
}
