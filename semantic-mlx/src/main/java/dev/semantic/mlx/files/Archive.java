package dev.semantic.mlx.files;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Predicate;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/** Reading wheels and jars, which are zip files. */
public final class Archive {
  private Archive() {}

  /**
   * Writes the entries that {@code wanted} accepts below {@code directory}.
   *
   * @throws IOException also for an entry whose name would lead out of the directory
   */
  public static void extract(Path archive, Path directory, Predicate<String> wanted)
      throws IOException {
    Path root = directory.toAbsolutePath().normalize();
    try (ZipFile zip = new ZipFile(archive.toFile())) {
      List<? extends ZipEntry> entries =
          zip.stream().filter(e -> !e.isDirectory() && wanted.test(e.getName())).toList();
      for (ZipEntry entry : entries) {
        Path file = root.resolve(entry.getName()).normalize();
        if (!file.startsWith(root)) {
          throw new IOException(archive + " has an entry that leads out of it: " + entry.getName());
        }
        Files.createDirectories(file.getParent());
        try (InputStream in = zip.getInputStream(entry)) {
          Files.copy(in, file);
        }
      }
    }
  }
}
