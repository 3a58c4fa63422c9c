package dev.semantic.mlx.capi;

import dev.semantic.mlx.Mlx;
import dev.semantic.mlx.MlxException;

/** A JVM of its own that opens MLX twice and prints what comes of it, one line each. */
final class OpeningProgram {
  private OpeningProgram() {}

  public static void main(String[] args) {
    for (int attempt = 0; attempt < 2; attempt++) {
      try {
        System.out.println("opened on " + Mlx.open().device());
      } catch (MlxException e) {
        System.out.println("refused: " + e.getMessage());
      }
    }
    long threads =
        Thread.getAllStackTraces().keySet().stream()
            .filter(t -> t.getName().equals("semantic-mlx"))
            .count();
    System.out.println("threads: " + threads);
  }
}
