package dev.gru4j;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import dev.gru4j.backend.Backends;
import java.net.URISyntaxException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** Which package may know which. */
class LayeringTest {
    private static final String LAYER = "dev.gru4j";
    private static final String BACKEND = "dev.gru4j.backend..";
    private static final String REFERENCE = "dev.gru4j.reference..";
    private static final String IO = "dev.gru4j.io..";

    private static final JavaClasses CORE = read();

    private static JavaClasses read() {
        try {
            Path place = Path.of(
                    Gru.class.getProtectionDomain().getCodeSource().getLocation().toURI());
            return new ClassFileImporter().importPath(place);
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void theClassesOfThisModuleAreRead() {
        assertTrue(CORE.contain(Gru.class) && CORE.contain(Backends.class), "else no rule could fail");
    }

    @Test
    void theModuleNeedsNothingButJava() {
        // jspecify's annotations are in the class files, but needed by the compiler only.
        classes().should().onlyDependOnClassesThat()
                .resideInAnyPackage("dev.gru4j..", "java..", "org.jspecify.annotations")
                .check(CORE);
    }

    @Test
    void weightFilesKnowNothingOfGrus() {
        noClasses().that().resideInAPackage(IO).should().dependOnClassesThat()
                .resideInAnyPackage(LAYER, BACKEND, REFERENCE)
                .check(CORE);
    }

    @Test
    void theBackendInterfaceKnowsNoBackend() {
        noClasses().that().resideInAPackage(BACKEND).should().dependOnClassesThat().resideInAnyPackage(REFERENCE, IO)
                .check(CORE);
    }

    @Test
    void theLayerKnowsNoBackend() {
        noClasses().that().resideInAPackage(LAYER).should().dependOnClassesThat().resideInAPackage(REFERENCE)
                .check(CORE);
    }

    @Test
    void theReferenceKnowsNoFilesAndNoLayer() {
        noClasses().that().resideInAPackage(REFERENCE).should().dependOnClassesThat().resideInAPackage(IO).check(CORE);
        noClasses().that().resideInAPackage(REFERENCE).should().dependOnClassesThat()
                .haveNameMatching("dev\\.gru4j\\.Gru(Training|Builder|Weights|Input|Output|Gradients)?").check(CORE);
    }
}
