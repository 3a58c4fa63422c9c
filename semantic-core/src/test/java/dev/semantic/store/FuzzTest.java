package dev.semantic.store;

import dev.semantic.fuzz.Fuzzing;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Whatever others put into a cache's file: a refusal that is documented, in bounded time and
 * memory.
 */
class FuzzTest {
  @Test
  void whatOthersWriteIsReadOrRefused(@TempDir Path directory) throws Exception {
    Fuzzing.assertNothingFound(CacheTargets.class, directory);
  }
}
