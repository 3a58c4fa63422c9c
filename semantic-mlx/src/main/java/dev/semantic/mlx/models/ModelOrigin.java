package dev.semantic.mlx.models;

import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.CancellationException;

/**
 * Where a {@link KnownModel} comes from: a host's own server, a package index, a share. It only
 * brings bytes: what came is compared with the model's checksum before anybody uses it. Called by
 * one thread and one process at a time for each model.
 */
public interface ModelOrigin {
  /**
   * About how many bytes are still to come.
   *
   * @param downloads what earlier attempts left; may not be there
   */
  long missingBytes(Path downloads);

  /**
   * Writes the whole file.
   *
   * @param file to be written anew
   * @param downloads a directory for this model alone; what is left there when a fetch fails is
   *     there again for the next one, and goes when the model is whole or turns out to be wrong
   * @throws IOException saying what could not be had, and what helps
   * @throws CancellationException if {@code progress} says so
   */
  void fetch(Path file, Path downloads, FetchProgress progress) throws IOException;
}
