package dev.semantic.mlx.fuzz;

import dev.semantic.fuzz.Fuzzing;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Whatever others put into a model's files, a hub's answers or a frame: a refusal that is
 * documented, in bounded time and memory.
 */
class FuzzTest {
  static List<String> kinds() throws ReflectiveOperationException {
    return Fuzzing.names(MlxTargets.class);
  }

  @ParameterizedTest
  @MethodSource("kinds")
  void whatOthersWriteIsReadOrRefused(String kind, @TempDir Path directory) throws Exception {
    Fuzzing.assertNothingFound(MlxTargets.class, kind, directory);
  }
}
