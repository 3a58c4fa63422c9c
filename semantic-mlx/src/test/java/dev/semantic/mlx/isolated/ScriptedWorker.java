package dev.semantic.mlx.isolated;

import dev.semantic.scripted.ScriptedRuntime;

/** A child process that holds a scripted model. */
final class ScriptedWorker {
  private ScriptedWorker() {}

  public static void main(String[] args) {
    RuntimeServer.serve(args, ScriptedRuntime::new);
  }
}
