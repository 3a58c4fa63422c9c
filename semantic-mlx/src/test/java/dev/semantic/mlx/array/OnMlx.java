package dev.semantic.mlx.array;

import java.util.function.Consumer;

/** Runs a test's body on MLX's thread, in a scope of its own. */
final class OnMlx {
  private OnMlx() {}

  static void run(Consumer<Scope> body) {
    MlxSession session = MlxSession.open();
    session
        .owner()
        .run(
            () -> {
              try (Scope scope = session.scope("test")) {
                body.accept(scope);
              }
            });
  }
}
