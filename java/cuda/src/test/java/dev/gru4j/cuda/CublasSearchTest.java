package dev.gru4j.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which cuBLAS is taken where there are several. */
class CublasSearchTest {
    @TempDir
    Path root;

    private final Map<String, String> environment = new HashMap<>();

    @SuppressWarnings("NullAway.Init") // The folder is set by JUnit.
    CublasSearchTest() {}

    @Test
    void nothingIsFoundWhereNothingIs() {
        assertNull(find(12));
    }

    @Test
    void theNewestToolkitComesFirst() throws IOException {
        library("usr/local/cuda-12.9/lib64", 12);
        Path newest = library("usr/local/cuda-12.10/lib64", 12);
        assertEquals(newest, find(12));
        Path usual = library("usr/local/cuda/lib64", 12);
        assertEquals(usual, find(12), "the one that the system's owner chose");
    }

    @Test
    void aToolkitNamedByTheEnvironmentComesBeforeTheOthers() throws IOException {
        library("usr/local/cuda/lib64", 13);
        Path named = library("opt/toolkit/targets/x86_64-linux/lib", 13);
        environment.put("CUDA_HOME", root.resolve("opt/toolkit").toString());
        assertEquals(named, find(13));
    }

    @Test
    void theToolkitOfTheCompilerOnThePathIsFound() throws IOException {
        program("opt/cuda/bin/nvcc");
        Path library = library("opt/cuda/lib64", 12);
        environment.put("PATH", root.resolve("bin") + ":" + root.resolve("opt/cuda/bin"));
        assertEquals(library, find(12));
    }

    @Test
    void pythonsWheelsComeLast() throws IOException {
        program("venv/bin/python3");
        Path wheel = library("venv/lib/python3.12/site-packages/nvidia/cublas/lib", 12);
        environment.put("PATH", root.resolve("venv/bin").toString());
        assertEquals(wheel, find(12));
        assertEquals(library("usr/local/cuda/lib64", 12), find(12));
    }

    @Test
    void wheelsOfEveryKindOfPythonAreFound() throws IOException {
        environment.put("HOME", root.resolve("home").toString());
        Path system = library("usr/lib/python3/dist-packages/nvidia/cu13/lib", 13);
        assertEquals(system, find(13));
        Path user = library("home/.local/lib/python3.11/site-packages/nvidia/cu13/lib", 13);
        assertEquals(user, find(13));
        environment.put("CONDA_PREFIX", root.resolve("conda").toString());
        assertEquals(library("conda/lib/python3.13/site-packages/nvidia/cu13/lib", 13), find(13));
    }

    private @Nullable Path find(int version) {
        return new CublasSearch(environment, root).find(version);
    }

    private Path library(String folder, int version) throws IOException {
        Path file = Files.createDirectories(root.resolve(folder)).resolve("libcublas.so." + version);
        return Files.createFile(file);
    }

    private void program(String name) throws IOException {
        Path file = root.resolve(name);
        Files.createDirectories(Objects.requireNonNull(file.getParent()));
        Files.createFile(file);
        assertTrue(file.toFile().setExecutable(true));
    }
}
