package dev.gru4j.cuda;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Where a cuBLAS may lie that the system's loader does not know: in a CUDA toolkit, or in a Python environment
 * that has NVIDIA's wheels, as PyTorch brings them.
 *
 * @param environment variables by name
 * @param root of the file system
 */
record CublasSearch(Map<String, String> environment, Path root) {
    /** On this machine. */
    static CublasSearch ofMachine() {
        return new CublasSearch(System.getenv(), Path.of("/"));
    }

    /** The first libcublas.so of that major version; null if there is none. */
    @Nullable
    Path find(int version) {
        return folders().stream()
                .map(folder -> folder.resolve("libcublas.so." + version))
                .filter(Files::isReadable)
                .findFirst()
                .orElse(null);
    }

    /** Toolkits first, newest first where several lie side by side; then Python's folders. */
    List<Path> folders() {
        List<Path> folders = new ArrayList<>();
        for (Path toolkit : toolkits()) {
            folders.add(toolkit.resolve("lib64"));
            folders.add(toolkit.resolve("targets/x86_64-linux/lib"));
        }
        for (Path prefix : pythons()) {
            for (Path python : matching(prefix.resolve("lib"), "python3*")) {
                for (String packages : List.of("site-packages", "dist-packages")) {
                    for (Path part : matching(python.resolve(packages).resolve("nvidia"), "*")) {
                        folders.add(part.resolve("lib"));
                    }
                }
            }
        }
        return folders;
    }

    private List<Path> toolkits() {
        List<Path> toolkits = new ArrayList<>();
        addVariables(toolkits, "CUDA_HOME", "CUDA_PATH");
        addProgramsParents(toolkits, "nvcc");
        toolkits.add(root.resolve("usr/local/cuda"));
        toolkits.addAll(matching(root.resolve("usr/local"), "cuda-*"));
        return toolkits;
    }

    private List<Path> pythons() {
        List<Path> prefixes = new ArrayList<>();
        addVariables(prefixes, "VIRTUAL_ENV", "CONDA_PREFIX");
        addProgramsParents(prefixes, "python3");
        String home = environment.getOrDefault("HOME", "");
        if (!home.isEmpty()) {
            prefixes.add(Path.of(home, ".local"));
        }
        prefixes.add(root.resolve("usr/local"));
        prefixes.add(root.resolve("usr"));
        return prefixes;
    }

    private void addVariables(List<Path> paths, String... names) {
        for (String name : names) {
            String value = environment.getOrDefault(name, "");
            if (!value.isEmpty()) {
                paths.add(Path.of(value));
            }
        }
    }

    /** Of {@code X/bin/program} on the PATH, X. */
    private void addProgramsParents(List<Path> paths, String program) {
        for (String folder : environment.getOrDefault("PATH", "").split(":", -1)) {
            Path parent = folder.isEmpty() ? null : Path.of(folder).toAbsolutePath().normalize().getParent();
            if (parent != null && Files.isExecutable(Path.of(folder, program))) {
                paths.add(parent);
            }
        }
    }

    /** Entries of a folder by pattern, the one with the highest number first; none if there is no such folder. */
    private static List<Path> matching(Path folder, String pattern) {
        List<Path> found = new ArrayList<>();
        if (Files.isDirectory(folder)) {
            try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder, pattern)) {
                entries.forEach(found::add);
            } catch (IOException e) {
                // A folder that may not be read holds nothing for us.
                System.getLogger("dev.gru4j").log(System.Logger.Level.DEBUG, "{0}: {1}", folder, e);
            }
        }
        found.sort(Comparator.<Path, String>comparing(path -> byNumber(path.getFileName().toString()))
                .reversed());
        return found;
    }

    /** The name with numbers padded, so that 12.10 sorts behind 12.9. */
    private static String byNumber(String name) {
        StringBuilder padded = new StringBuilder();
        for (String part : name.split("(?<=\\D)(?=\\d)|(?<=\\d)(?=\\D)", -1)) {
            boolean isNumber = !part.isEmpty() && Character.isDigit(part.charAt(0));
            padded.append(isNumber ? "0".repeat(Math.max(0, 9 - part.length())) : "").append(part);
        }
        return padded.toString();
    }
}
