package dev.gru4j.parity;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Cases, shape files and selection: what decides on what the suite runs. */
final class GruCaseTest {
    @Test
    void everyCaseOfTheFullSetIsRebuiltFromItsText() {
        for (GruCase problem : GruCases.of("quick", "full", "cuda", "regression")) {
            assertEquals(problem, GruCase.parse(problem.toString()));
        }
    }

    @Test
    void everyShapeMeetsEveryValueOfEveryOption() {
        List<GruCase> cases = GruCases.of("quick", "full", "cuda", "regression");
        Set<Map.Entry<String, String>> met = new HashSet<>();
        for (GruCase problem : cases) {
            for (Factor factor : Factor.values()) {
                met.add(Map.entry(problem.shape().toString(), factor + problem.value(factor)));
            }
        }
        for (String file : List.of("quick", "full")) {
            for (ShapeFile.Line line : ShapeFile.read(file)) {
                for (Factor factor : Factor.values()) {
                    for (String value : factor.choices()) {
                        String shape = line.problem().shape().toString();
                        assertTrue(met.contains(Map.entry(shape, factor + value)),
                                shape + " lacks " + factor + "=" + value);
                    }
                }
            }
        }
    }

    @Test
    void sizesOfAShapeDifferUnlessTheyAreOne() {
        for (String file : List.of("quick", "full", "regression", "reduced")) {
            for (ShapeFile.Line line : ShapeFile.read(file)) {
                var shape = line.problem().shape();
                List<Integer> sizes = List.of(shape.T(), shape.B(), shape.I(), shape.H()).stream()
                        .filter(size -> size > 1)
                        .toList();
                assertEquals(sizes.size(), new HashSet<>(sizes).size(),
                        file + ": a transposed index hides in " + shape);
            }
        }
    }

    @Test
    void noShapeIsListedTwice() {
        for (List<String> together : List.of(List.of("quick", "full", "regression"), List.of("reduced"))) {
            Set<GruCase> seen = new HashSet<>();
            for (String file : together) {
                for (ShapeFile.Line line : ShapeFile.read(file)) {
                    assertTrue(seen.add(line.problem()), file + " repeats " + line.problem());
                }
            }
        }
    }

    @Test
    void aLineWithoutAReasonIsRefused() {
        IllegalArgumentException e =
                assertThrows(IllegalArgumentException.class,
                        () -> ShapeFile.parse("/a.shapes", "1 2 3 4 # why\n5 6 7 8 #\n"));
        assertEquals("/a.shapes:2: '5 6 7 8 #' has no reason; 'T B I H # reason' expected", e.getMessage());
    }

    @Test
    void aLineMayNameOptions() {
        ShapeFile.Line line =
                ShapeFile.parse("/a.shapes", "7 3 13 29 layers=2 bias=none # a bug").getFirst();
        assertEquals("T7 B3 I13 H29 bias=none layers=2", line.problem().toString());
        assertEquals("a bug", line.reason());
        assertTrue(line.hasOptions());
    }

    @Test
    void anUnknownOptionOrValueIsRefused() {
        IllegalArgumentException option =
                assertThrows(IllegalArgumentException.class, () -> GruCase.parse("T7 B3 I13 H29 varaint=reset_before"));
        String message = String.valueOf(option.getMessage());
        assertTrue(message.startsWith("'varaint=reset_before' in 'T7 B3 I13 H29"), message);
        IllegalArgumentException value =
                assertThrows(IllegalArgumentException.class, () -> GruCase.parse("T7 B3 I13 H29 variant=before"));
        assertEquals("variant is 'before'; one of [reset_after, reset_before] expected", value.getMessage());
    }

    @Test
    void aCaseLacksNoSize() {
        assertThrows(IllegalArgumentException.class, () -> GruCase.parse("T7 B3 I13"));
    }

    @Test
    void subjectAndPhaseNarrowTheCase() {
        List<String> ids = GruParityTest.runs("reference backward T7 B3 I13 H29 layers=2")
                .map(Object::toString)
                .toList();
        assertEquals(List.of("reference backward T7 B3 I13 H29 layers=2"), ids);
    }

    @Test
    void withoutThemTheCaseRunsOnEverySubjectInEveryPhase() {
        long runs = GruParityTest.runs("T7 B3 I13 H29").count();
        assertEquals((long) Subject.all().size() * Phase.values().length, runs);
    }

    @Test
    void theReferenceIsASubject() {
        assertTrue(Subject.available().stream().anyMatch(s -> s.id().equals("reference")));
    }

    @Test
    void requiringAnUnknownBackendIsAnError() {
        IllegalArgumentException e = assertThrows(
                IllegalArgumentException.class,
                () -> Subject.parseNames(Subject.REQUIRE_PROPERTY, "simd, cdua", List.of("cuda", "simd", "reference")));
        assertEquals(
                "gru4j.require names unknown backend 'cdua'; known: cuda, simd, reference", e.getMessage());
        assertEquals(Set.of("simd", "cuda"),
                Subject.parseNames(Subject.REQUIRE_PROPERTY, "simd,cuda,", List.of("cuda", "simd")));
    }

    @Test
    void aSubjectIsNamedByItsBackendAndByWholePartsOfItsId() {
        Subject subject = Subject.all().stream()
                .filter(s -> s.id().startsWith("simd/"))
                .findFirst()
                .orElseThrow();
        assertTrue(subject.isNamedBy("simd"));
        assertTrue(subject.isNamedBy(subject.id()));
        assertFalse(subject.isNamedBy(subject.id().substring(0, subject.id().length() - 1)));
        assertFalse(subject.isNamedBy("cuda"));
    }
}
