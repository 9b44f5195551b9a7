package dev.gru4j;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import java.net.URISyntaxException;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Which package may know which. */
class LayeringTest {
    private static final String LAYER = "dev.gru4j";
    private static final String BACKEND = "dev.gru4j.backend..";
    private static final String REFERENCE = "dev.gru4j.reference..";
    private static final String IO = "dev.gru4j.io..";

    private static JavaClasses core = new ClassFileImporter().importClasses();

    @BeforeAll
    static void read() throws URISyntaxException {
        Path place = Path.of(
                Gru.class.getProtectionDomain().getCodeSource().getLocation().toURI());
        core = new ClassFileImporter().importPath(place);
        assertTrue(core.contain(Gru.class), place + " holds the classes of this module");
    }

    @Test
    void theModuleNeedsNothingButJava() {
        // jspecify's annotations are in the class files, but needed by the compiler only.
        classes().should().onlyDependOnClassesThat().resideInAnyPackage("dev.gru4j..", "java..", "org.jspecify.annotations")
                .check(core);
    }

    @Test
    void weightFilesKnowNothingOfGrus() {
        noClasses().that().resideInAPackage(IO).should().dependOnClassesThat().resideInAnyPackage(LAYER, BACKEND, REFERENCE)
                .check(core);
    }

    @Test
    void theBackendInterfaceKnowsNoBackend() {
        noClasses().that().resideInAPackage(BACKEND).should().dependOnClassesThat().resideInAnyPackage(REFERENCE, IO)
                .check(core);
    }

    @Test
    void theLayerKnowsNoBackend() {
        noClasses().that().resideInAPackage(LAYER).should().dependOnClassesThat().resideInAPackage(REFERENCE).check(core);
    }

    @Test
    void theReferenceKnowsNoFilesAndNoLayer() {
        noClasses().that().resideInAPackage(REFERENCE).should().dependOnClassesThat().resideInAPackage(IO).check(core);
        noClasses().that().resideInAPackage(REFERENCE).should().dependOnClassesThat()
                .haveNameMatching("dev\\.gru4j\\.Gru(Training|Builder|Weights|Input|Output|Gradients)?").check(core);
    }
}
