package dev.semantic.mlx.isolated;

import dev.semantic.mlx.MlxModelRuntime;

/** What the child process runs. */
final class ChildMain {
  private ChildMain() {}

  /**
   * Serves the parent until it is gone.
   *
   * @param args the socket to connect to, and the parent's process id
   */
  public static void main(String[] args) {
    RuntimeServer.serve(args, MlxModelRuntime::open);
  }
}
