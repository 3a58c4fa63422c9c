package dev.semantic.store;

import dev.semantic.fuzz.Fuzzing;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Whatever others put into a cache's file: a refusal that is documented, in bounded time and
 * memory.
 */
class FuzzTest {
  static List<String> kinds() throws ReflectiveOperationException {
    return Fuzzing.names(CacheTargets.class);
  }

  @ParameterizedTest
  @MethodSource("kinds")
  void whatOthersWriteIsReadOrRefused(String kind, @TempDir Path directory) throws Exception {
    Fuzzing.assertNothingFound(CacheTargets.class, kind, directory);
  }
}
