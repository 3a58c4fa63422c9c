package dev.semantic.mlx.fuzz;

import dev.semantic.fuzz.Fuzzing;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Whatever others put into a model's files, a hub's answers or a frame: a refusal that is
 * documented, in bounded time and memory.
 */
class FuzzTest {
  @Test
  void whatOthersWriteIsReadOrRefused(@TempDir Path directory) throws Exception {
    Fuzzing.assertNothingFound(MlxTargets.class, directory);
  }
}
