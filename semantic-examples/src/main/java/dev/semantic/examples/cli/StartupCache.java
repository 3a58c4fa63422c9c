package dev.semantic.examples.cli;

import dev.semantic.mlx.Mlx;
import dev.semantic.mlx.MlxException;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Opens MLX while the words of the command are still being read: both take some tenths of a second,
 * and there is more than one core.
 */
final class StartupCache {
  private static final Logger LOG = LoggerFactory.getLogger(StartupCache.class);

  private static final Set<String> COMPUTE =
      Set.of("generate", "logits", "chat", "swap", "soak", "demo");

  /** With these nothing is computed here. */
  private static final Set<String> ELSEWHERE = Set.of("--isolated", "--help", "-h", "--version");

  private StartupCache() {}

  /** Begins, if the words look as if MLX were needed; does not wait. */
  static void of(String... arguments) {
    if (needsMlx(Arrays.asList(arguments))) {
      Thread.ofPlatform().daemon().name("semantic-head-start").start(StartupCache::openMlx);
    }
  }

  static boolean needsMlx(List<String> arguments) {
    return arguments.stream().anyMatch(COMPUTE::contains)
        && arguments.stream().noneMatch(ELSEWHERE::contains);
  }

  /** The command opens it again, and tells what is wrong if something is. */
  private static void openMlx() {
    try {
      Mlx.open().budget(); // the JVM's beans of the system take a tenth of a second, too
    } catch (MlxException | LinkageError e) {
      LOG.debug("MLX cannot be opened; the command will say so", e);
    }
  }
}
