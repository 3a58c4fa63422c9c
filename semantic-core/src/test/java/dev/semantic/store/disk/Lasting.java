package dev.semantic.store.disk;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What of a disk survives a loss of power: the bytes that were forced, and the names in directories
 * that were. What was not forced survives, or not, or in part.
 */
final class Lasting {
  /** A file or directory, whatever it is called. */
  private static final class Node {
    private final boolean directory;
    private byte[] forced = new byte[0];

    Node(boolean directory) {
      this.directory = directory;
    }
  }

  private final Map<Path, Node> names = new HashMap<>();
  private final Map<Path, Node> forcedNames = new HashMap<>();

  synchronized void created(Path path, boolean directory) {
    names.put(path, new Node(directory));
  }

  synchronized void moved(Path from, Path to) {
    Node node = names.remove(from);
    if (node != null) {
      names.put(to, node);
    }
  }

  synchronized void deleted(Path path) {
    names.remove(path);
  }

  synchronized void forced(Path path) throws IOException {
    if (Files.isDirectory(path)) {
      forcedNames.keySet().removeIf(each -> path.equals(each.getParent()));
      names.forEach(
          (each, node) -> {
            if (path.equals(each.getParent())) {
              forcedNames.put(each, node);
            }
          });
    } else {
      Node node = names.get(path);
      if (node != null) {
        node.forced = Files.readAllBytes(path);
      }
    }
  }

  /**
   * Makes {@code target} what {@code root} is after a loss of power, now.
   *
   * @param luck decides what of the rest survives; null: none of it
   */
  synchronized void survive(Path root, Path target, @Nullable Random luck) throws IOException {
    TreeMap<Path, Node> found = new TreeMap<>(forcedNames);
    if (luck != null) {
      for (Path path : new TreeMap<>(names).keySet()) {
        if (luck.nextBoolean()) {
          found.put(path, names.get(path));
        }
      }
      found.keySet().removeIf(path -> !names.containsKey(path) && luck.nextBoolean());
    }
    Files.createDirectories(target);
    for (Map.Entry<Path, Node> entry : found.entrySet()) {
      Path path = entry.getKey();
      Path there = target.resolve(root.relativize(path).toString());
      Path above = there.getParent();
      if (!path.startsWith(root) || path.equals(root) || above == null || !Files.exists(above)) {
        continue;
      }
      if (entry.getValue().directory) {
        Files.createDirectory(there);
      } else {
        Files.write(there, bytes(entry.getValue(), path, luck));
      }
    }
  }

  private byte[] bytes(Node node, Path path, @Nullable Random luck) throws IOException {
    if (luck == null || names.get(path) != node || luck.nextBoolean()) {
      return node.forced;
    }
    byte[] written = Files.readAllBytes(path);
    return luck.nextBoolean() || written.length == node.forced.length
        ? written
        : Arrays.copyOf(written, luck.nextInt(written.length));
  }
}
