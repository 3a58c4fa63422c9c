package dev.semantic.examples.cli;

import dev.semantic.mlx.MlxModelRuntime;
import dev.semantic.mlx.isolated.IsolatedRuntime;
import dev.semantic.spi.ModelRuntime;

/** Where models run: in this process, or each in one of its own. */
final class Runtimes {
  private Runtimes() {}

  static ModelRuntime open(boolean isolated) {
    return isolated ? IsolatedRuntime.open() : MlxModelRuntime.open();
  }
}
