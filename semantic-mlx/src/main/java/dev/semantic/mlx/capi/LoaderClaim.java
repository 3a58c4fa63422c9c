package dev.semantic.mlx.capi;

import dev.semantic.mlx.MlxException;
import java.util.Properties;

/**
 * Which class loader's copy of this library has MLX. MLX is one for the whole process: its thread,
 * its error handler and its count of memory cannot be had twice.
 */
final class LoaderClaim {
  private static final String PROPERTY = "semantic.mlx.claimed";

  private LoaderClaim() {}

  /**
   * Claims MLX for this class's loader, once and for good.
   *
   * @throws MlxException if another loader's copy of this class has claimed it
   */
  static void stake() {
    stake(System.getProperties(), describe(LoaderClaim.class));
  }

  static void stake(Properties everywhere, String own) {
    String process = ProcessHandle.current().pid() + " ";
    Object there =
        everywhere.compute(
            PROPERTY,
            // Properties are handed on to child processes by some, where they mean nothing.
            (key, old) -> old != null && old.toString().startsWith(process) ? old : process + own);
    if (!(process + own).equals(there)) {
      throw new MlxException(
          "MLX can be had once in a process, and another copy of semantic-mlx has it: that of %s."
                  .formatted(String.valueOf(there).substring(process.length()))
              + " This is the copy of %s. Put semantic-mlx and what it needs where both share it"
                  .formatted(own)
              + " (a parent class loader, the server's own libraries), or use IsolatedRuntime,"
              + " which may be had by each of them; after a redeployment, restart the JVM.");
    }
  }

  private static String describe(Class<?> type) {
    ClassLoader loader = type.getClassLoader();
    return loader + "#" + System.identityHashCode(loader);
  }
}
