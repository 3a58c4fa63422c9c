package dev.semantic.mlx.array;

import org.jspecify.annotations.Nullable;

/** Things that are all done, whichever of them fails; the first failure is told at the end. */
final class CloseAll {
  private @Nullable RuntimeException first;

  void at(Runnable action) {
    try {
      action.run();
    } catch (RuntimeException e) {
      if (first == null) {
        first = e;
      } else {
        first.addSuppressed(e);
      }
    }
  }

  void rethrow() {
    if (first != null) {
      throw first;
    }
  }
}
