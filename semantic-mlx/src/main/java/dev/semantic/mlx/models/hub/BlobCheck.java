package dev.semantic.mlx.models.hub;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/** Compares a snapshot's file with the checksum that its blob is named by. */
public final class BlobCheck {
  private BlobCheck() {}

  /** The checksum by which a file was fetched; empty if it is no link to a blob. */
  public static Optional<String> expected(Path file) throws IOException {
    return Optional.of(String.valueOf(file.toRealPath().getFileName())).filter(Digests::isEtag);
  }

  /** The checksum that a file has now, of the same kind. */
  public static String found(Path file, String expected) throws IOException {
    return Digests.of(file, expected);
  }
}
