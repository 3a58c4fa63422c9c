package dev.semantic.examples.demo;

import dev.semantic.swap.SwapListener;
import dev.semantic.swap.SwapPhase;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/** Does what an unlucky copy job does: changes a model's file after it was found good. */
final class Sabotage implements SwapListener {
  private @Nullable Path file;

  Sabotage() {}

  /** The next load will find that this file is not what was checked. */
  void touchWhenLoading(Path victim) {
    file = victim;
  }

  @Override
  public void phase(SwapPhase phase) {
    if (file == null || phase != SwapPhase.LOADING) {
      return;
    }
    try {
      Files.setLastModifiedTime(file, FileTime.from(Instant.now().plusSeconds(1)));
      file = null;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
