package dev.gru4j;

import static dev.gru4j.TestValues.assertSameBits;
import static dev.gru4j.TestValues.uniform;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.gru4j.io.DType;
import dev.gru4j.io.SafetensorsFile;
import dev.gru4j.io.SafetensorsWriter;
import dev.gru4j.io.WeightFileException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GruWeightFileTest {
    private static final GruSpec SPEC = GruSpec.of(3, 5);

    @TempDir
    Path folder;

    private Path file() {
        return folder.resolve("gru.safetensors");
    }

    private void assertRefused(String message, GruSpec spec, String prefix) {
        WeightFileException e =
                assertThrows(WeightFileException.class, () -> GruWeights.load(file(), spec, prefix));
        assertEquals(file() + message, e.getMessage());
    }

    @Test
    void everySpecificationReadsBackWithItsWeights() throws IOException {
        for (int layers : new int[] {1, 3}) {
            for (Directions directions : Directions.values()) {
                for (GruVariant variant : GruVariant.values()) {
                    for (BiasMode bias : BiasMode.values()) {
                        GruSpec spec = new GruSpec(3, 5, layers, directions, variant, bias, 0.125f);
                        GruWeights weights = new GruWeights(spec).initialize(layers);
                        weights.save(file());
                        GruWeights loaded = GruWeights.load(file());
                        assertEquals(spec, loaded.spec());
                        assertSameBits(spec + " values", weights.values(), loaded.values());
                        assertSameBits(
                                spec + " values", weights.values(), GruWeights.load(file(), spec, "").values());
                    }
                }
            }
        }
    }

    @Test
    void theFileHasThePyTorchNamesAndShapes() throws IOException {
        new GruWeights(SPEC.withDirections(Directions.BIDIRECTIONAL)).save(file(), "gru.");
        try (SafetensorsFile in = SafetensorsFile.open(file())) {
            assertEquals(
                    List.of(
                            "gru.weight_ih_l0 [15, 3]",
                            "gru.weight_hh_l0 [15, 5]",
                            "gru.bias_ih_l0 [15]",
                            "gru.bias_hh_l0 [15]",
                            "gru.weight_ih_l0_reverse [15, 3]",
                            "gru.weight_hh_l0_reverse [15, 5]",
                            "gru.bias_ih_l0_reverse [15]",
                            "gru.bias_hh_l0_reverse [15]"),
                    in.tensors().stream().map(t -> t.name() + " " + t.shape()).toList());
        }
    }

    @Test
    void aFileOfPyTorchIsReadAsResetAfter() throws IOException {
        float[] weightIh = uniform(1, 15 * 3);
        float[] biasHh = uniform(2, 15);
        new SafetensorsWriter()
                .metadata("format", "pt")
                .floats("bias_hh_l0", new long[] {15}, biasHh)
                .floats("bias_ih_l0", new long[] {15}, new float[15])
                .floats("weight_hh_l0", new long[] {15, 5}, new float[75])
                .floats("weight_ih_l0", new long[] {15, 3}, weightIh)
                .write(file());
        GruWeights weights = GruWeights.load(file());
        assertEquals(SPEC, weights.spec());
        assertSameBits("weight_ih_l0", weightIh, weights.get("weight_ih_l0"));
        assertSameBits("bias_hh_l0", biasHh, weights.get("bias_hh_l0"));
    }

    @Test
    void twoLayersOfOneModelLieInOneFile() throws IOException {
        GruWeights encoder = new GruWeights(SPEC).initialize(1);
        GruWeights decoder =
                new GruWeights(GruSpec.of(2, 4).withVariant(GruVariant.RESET_BEFORE)).initialize(2);
        SafetensorsWriter writer = new SafetensorsWriter();
        encoder.addTo(writer, "encoder.");
        decoder.addTo(writer, "decoder.");
        writer.floats("head.weight", new long[] {1, 4}, new float[4]).write(file());
        assertSameBits("encoder", encoder.values(), GruWeights.load(file(), "encoder.").values());
        assertSameBits("decoder", decoder.values(), GruWeights.load(file(), "decoder.").values());
        assertEquals(decoder.spec(), GruWeights.load(file(), "decoder.").spec());
    }

    @Test
    void aMissingTensorIsRefused() throws IOException {
        new GruWeights(SPEC.withBias(BiasMode.INPUT)).save(file());
        assertRefused(": tensor 'bias_hh_l0' is missing; " + SPEC + " needs it", SPEC, "");
    }

    @Test
    void anUnexpectedTensorIsRefused() throws IOException {
        new GruWeights(SPEC).save(file());
        GruSpec withoutBias = SPEC.withBias(BiasMode.NONE);
        assertRefused(
                ": unexpected tensors [bias_ih_l0, bias_hh_l0]; " + withoutBias + " has no such parameters",
                withoutBias, "");
    }

    @Test
    void aTensorOfAnotherShapeIsRefused() throws IOException {
        new GruWeights(SPEC).save(file());
        GruSpec wider = GruSpec.of(4, 5);
        assertRefused(": tensor 'weight_ih_l0' has shape [15, 3]; [15, 4] expected for " + wider, wider, "");
    }

    @Test
    void anotherVariantIsRefused() throws IOException {
        new GruWeights(SPEC.withVariant(GruVariant.RESET_BEFORE)).save(file());
        assertRefused(" holds weights of variant RESET_BEFORE; RESET_AFTER expected", SPEC, "");
    }

    @Test
    void anUnknownVariantIsRefused() throws IOException {
        SafetensorsWriter writer = new SafetensorsWriter();
        new GruWeights(SPEC).addTo(writer, "");
        writer.metadata("gru4j.variant", "RESET_NEVER").write(file());
        assertRefused(
                ": metadata gru4j.variant is 'RESET_NEVER'; one of [RESET_AFTER, RESET_BEFORE] expected", SPEC, "");
    }

    @Test
    void aFileWithoutAGruIsRefused() throws IOException {
        new SafetensorsWriter().floats("head.weight", new long[] {1}, new float[1]).write(file());
        WeightFileException e = assertThrows(WeightFileException.class, () -> GruWeights.load(file()));
        assertEquals(file() + " holds no GRU: no tensor 'weight_hh_l0'; it has [head.weight]", e.getMessage());
    }

    @Test
    void impossibleSizesAreRefused() throws IOException {
        new SafetensorsWriter()
                .floats("weight_ih_l0", new long[] {0, 0}, new float[0])
                .floats("weight_hh_l0", new long[] {0, 0}, new float[0])
                .write(file());
        WeightFileException e = assertThrows(WeightFileException.class, () -> GruWeights.load(file()));
        assertEquals(file() + ": inputSize is 0; at least 1 expected", e.getMessage());
    }

    @Test
    void aWeightThatIsNoMatrixIsRefused() throws IOException {
        new SafetensorsWriter()
                .floats("weight_ih_l0", new long[] {45}, new float[45])
                .floats("weight_hh_l0", new long[] {75}, new float[75])
                .write(file());
        WeightFileException e = assertThrows(WeightFileException.class, () -> GruWeights.load(file()));
        assertEquals(
                file() + ": tensor 'weight_ih_l0' has shape [45]; [3H, columns] expected", e.getMessage());
    }

    @Test
    void integersAreRefusedByName() throws IOException {
        new SafetensorsWriter()
                .floats("weight_ih_l0", new long[] {15, 3}, new float[45])
                .floats("weight_hh_l0", new long[] {15, 5}, new float[75])
                .bytes("bias_ih_l0", DType.I32, new long[] {15}, MemorySegment.ofArray(new byte[60]))
                .write(file());
        assertRefused(
                ": tensor 'bias_ih_l0' has dtype I32; F32, F64, F16 or BF16 expected to read it as float",
                SPEC.withBias(BiasMode.INPUT),
                "");
    }
}
