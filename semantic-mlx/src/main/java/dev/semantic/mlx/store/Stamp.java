package dev.semantic.mlx.store;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A note beside a model's file that its checksum held when the file had this size and time of
 * change. Saves reading hundreds of megabytes at each start; whoever changes the file voids it.
 */
final class Stamp {
  private Stamp() {}

  static boolean confirms(Path file, CatalogModel model) throws IOException {
    Path stamp = path(file);
    return Files.isRegularFile(file)
        && Files.isRegularFile(stamp)
        && Files.size(file) == model.sizeBytes()
        && Files.readString(stamp).equals(text(file, model));
  }

  static void write(Path file, CatalogModel model) throws IOException {
    Files.writeString(path(file), text(file, model));
  }

  static Path path(Path file) {
    return file.resolveSibling(file.getFileName() + ".verified");
  }

  private static String text(Path file, CatalogModel model) throws IOException {
    long changed = Files.getLastModifiedTime(file).toMillis();
    return "sha256 %s\nsize %d\nchanged %d\n".formatted(model.sha256(), model.sizeBytes(), changed);
  }
}
