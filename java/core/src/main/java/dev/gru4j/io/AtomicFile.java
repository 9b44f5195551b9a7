package dev.gru4j.io;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Replaces a file as a whole: at every moment, a crash or a lost power supply included, its name leads
 * to the complete old content or the complete new one.
 *
 * <p>The content goes to {@code NAME.<16 hexadecimal digits>.tmp} beside the file, is forced to the disk
 * and then renamed. A process killed in between leaves that file behind; {@link #deleteLeftovers}
 * removes it.
 */
public final class AtomicFile {
    private static final String SUFFIX = ".tmp";

    private AtomicFile() {}

    /** Writes the new content. */
    @FunctionalInterface
    public interface Content {
        void writeTo(FileChannel channel) throws IOException;
    }

    /**
     * Replaces {@code target}, or creates it.
     *
     * @throws IOException if it cannot be written; {@code target} is then as it was
     */
    public static void write(Path target, Content content) throws IOException {
        Path name = target.getFileName();
        if (name == null || Files.isDirectory(target)) {
            throw new IOException(target + " is a folder; a file to write expected");
        }
        Path folder = folderOf(target);
        String random = String.format("%016x", ThreadLocalRandom.current().nextLong());
        Path temporary = folder.resolve(name + "." + random + SUFFIX);
        try {
            try (FileChannel channel =
                    FileChannel.open(temporary, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
                content.writeTo(channel);
                channel.force(true);
            }
            Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } finally {
            Files.deleteIfExists(temporary);
        }
        forceFolder(folder);
    }

    /**
     * Deletes what killed writers of {@code target} left behind. Only for a time when nobody writes it.
     *
     * @return number of files deleted
     */
    public static int deleteLeftovers(Path target) throws IOException {
        String prefix = target.getFileName() + ".";
        int deleted = 0;
        try (DirectoryStream<Path> siblings = Files.newDirectoryStream(folderOf(target))) {
            for (Path sibling : siblings) {
                String name = String.valueOf(sibling.getFileName());
                if (name.startsWith(prefix) && name.substring(prefix.length()).matches("[0-9a-f]{16}\\.tmp")) {
                    deleted += Files.deleteIfExists(sibling) ? 1 : 0;
                }
            }
        } catch (NoSuchFileException e) {
            return 0; // no folder, no leftovers
        } catch (DirectoryIteratorException e) {
            throw e.getCause();
        }
        return deleted;
    }

    private static Path folderOf(Path target) {
        Path parent = target.toAbsolutePath().getParent();
        if (parent == null) {
            throw new IllegalArgumentException(target + " has no folder");
        }
        return parent;
    }

    /** The rename itself is on the disk only when the folder is; not every system can force one. */
    private static void forceFolder(Path folder) {
        try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
            channel.force(true);
        } catch (IOException e) {
            // Windows cannot open a folder; its renames are journaled. The content is safe in any case.
        }
    }
}
