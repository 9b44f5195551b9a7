package dev.gru4j.benchmarks.peers.openblas;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.gru4j.GruShape;
import dev.gru4j.benchmarks.Shape;
import java.util.List;
import org.junit.jupiter.api.Test;

class ProductTimesTest {
    private static final GruShape SHAPE = new GruShape(7, 3, 13, 29);

    @Test
    void theProductsAreAllOfATrainingStep() {
        List<ProductTimes.Product> products = ProductTimes.products(SHAPE);
        double forward = Shape.forwardFlop(SHAPE);
        assertEquals(forward, products.stream().limit(2).mapToDouble(ProductTimes.Product::flop).sum());
        assertEquals(3 * forward, products.stream().mapToDouble(ProductTimes.Product::flop).sum());
    }
}
