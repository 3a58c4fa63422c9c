package dev.semantic.mlx.isolated;

import dev.semantic.memory.ByteSize;
import dev.semantic.memory.MemoryBudget;
import dev.semantic.mlx.MlxModelRuntime;
import dev.semantic.mlx.models.ModelCatalog;

/** What the child process runs. */
final class WorkerMain {
  private WorkerMain() {}

  /**
   * Serves the parent until it is gone.
   *
   * @param args the socket to connect to, the parent's process id, and the memory budget in bytes
   */
  public static void main(String[] args) {
    MemoryBudget budget = new MemoryBudget(new ByteSize(Long.parseLong(args[2])));
    RuntimeServer.serve(args, () -> MlxModelRuntime.open(ModelCatalog.ofUser(), budget));
  }
}
