package dev.semantic.mlx.models;

import dev.semantic.io.DurableFiles;
import dev.semantic.io.OwnPath;
import dev.semantic.io.Reason;
import dev.semantic.model.ModelException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The directories that a user has added to the catalogue, in a file of the cache; one a line. */
final class ModelDirectories {
  private final Path file;

  ModelDirectories(UserCache cache) {
    file = cache.root().resolve("directories");
  }

  /** All of them, in the order in which they were added; also such as are gone. */
  List<Path> all() {
    try {
      if (Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
        OwnPath.claim(file.resolveSibling(""), file); // else others say which models there are
      }
      return Files.isRegularFile(file)
          ? Files.readAllLines(file).stream().filter(l -> !l.isBlank()).map(Path::of).toList()
          : List.of();
    } catch (IOException | InvalidPathException e) {
      throw new ModelException(
          ModelException.Kind.DAMAGED,
          "Cannot read %s (%s); delete it and add the directories anew".formatted(file, e),
          e);
    }
  }

  /** Adds one; nothing happens if it is there. */
  void add(Path directory) {
    Path added = directory.toAbsolutePath().normalize();
    if (!Files.isDirectory(added)) {
      throw new ModelException(ModelException.Kind.NOT_FOUND, "There is no directory " + added);
    }
    if (added.toString().contains("\n")) {
      throw new ModelException(
          ModelException.Kind.INVALID,
          "A directory whose name has two lines cannot be added: " + added);
    }
    List<Path> all = new ArrayList<>(all());
    if (!all.contains(added)) {
      all.add(added);
      write(all);
    }
  }

  /** Forgets one, and touches nothing of it; false if it was not there. */
  boolean forget(Path directory) {
    List<Path> all = new ArrayList<>(all());
    boolean known = all.remove(directory.toAbsolutePath().normalize());
    if (known) {
      write(all);
    }
    return known;
  }

  private void write(List<Path> all) {
    StringBuilder lines = new StringBuilder();
    all.forEach(directory -> lines.append(directory).append('\n'));
    try {
      DurableFiles.keep(file, lines.toString().getBytes(StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw new ModelException(
          ModelException.Kind.FAILED, "Cannot write %s: %s".formatted(file, Reason.of(e)), e);
    }
  }
}
