package dev.semantic.mlx.models;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * A model that can be asked for by name: here, half here, or to be fetched.
 *
 * @param name by which it is asked for
 * @param path its file or directory; empty if nothing of it is here
 * @param sizeBytes on disk, as far as it is here; of one to be fetched, when it has been
 * @param architecture what it calls itself: {@code llama}
 * @param license its short name, where it says
 * @param missing what it would need to be whole
 * @param fits whether there is memory for it; empty where nobody was asked or can tell
 */
public record AvailableModel(
    String name,
    ModelSource source,
    Optional<Path> path,
    long sizeBytes,
    Optional<String> architecture,
    Optional<String> license,
    ModelState state,
    List<String> missing,
    Optional<Boolean> fits) {
  public AvailableModel {
    missing = List.copyOf(missing);
  }

  /** Whether it could be loaded now. */
  public boolean complete() {
    return state == ModelState.READY;
  }

  AvailableModel judged(Optional<Boolean> answer) {
    return new AvailableModel(
        name, source, path, sizeBytes, architecture, license, state, missing, answer);
  }

  AvailableModel named(String other) {
    return new AvailableModel(
        other, source, path, sizeBytes, architecture, license, state, missing, fits);
  }
}
