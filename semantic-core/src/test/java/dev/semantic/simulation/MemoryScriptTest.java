package dev.semantic.simulation;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Random scripts of what befalls agents' memory. One that fails is made as short as it still fails
 * and shown; put into {@code simulation/memory-scripts.txt} it is carried out for ever. {@code
 * -Dsemantic.memory.scripts=N} runs more of them, {@code -Dsemantic.memory.first=S} begins there.
 */
class MemoryScriptTest {
  private static final long SCRIPTS = Long.getLong("semantic.memory.scripts", 60);
  private static final long FIRST = Long.getLong("semantic.memory.first", 1);
  private static final int LENGTH = 40;

  @TempDir private Path directory;
  private int runs;

  static List<List<String>> kept() throws IOException {
    try (var in = MemoryScriptTest.class.getResourceAsStream("/simulation/memory-scripts.txt")) {
      String text = new String(Objects.requireNonNull(in).readAllBytes(), UTF_8);
      return Arrays.stream(text.split("\\R\\R+", -1))
          .map(block -> block.lines().filter(line -> !line.startsWith("#")).toList())
          .filter(script -> !script.isEmpty())
          .toList();
    }
  }

  /** Each of these failed once. */
  @ParameterizedTest
  @MethodSource("kept")
  void aScriptThatFailedOnceIsCarriedOutForEver(List<String> script) {
    run(script);
  }

  @Test
  void whateverBefallsItMemoryIsRightAndNeverTooMuch() {
    long reused = 0;
    for (long seed = FIRST; seed < FIRST + SCRIPTS; seed++) {
      List<String> script = MemoryScript.of(seed, LENGTH);
      try {
        reused += run(script);
      } catch (Throwable t) {
        throw new AssertionError(
            "seed " + seed + "\n" + String.join("\n", shortest(script)) + "\n", t);
      }
    }
    assertTrue(reused > 1000 * SCRIPTS, "hardly anything was reused: " + reused);
  }

  private int run(List<String> script) {
    try {
      return MemoryScript.run(script, Files.createDirectory(directory.resolve("run" + runs++)));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Leaves out every line that it fails without. */
  private List<String> shortest(List<String> failing) {
    List<String> script = failing;
    for (int i = script.size() - 1; i > 0; i--) {
      List<String> without = new ArrayList<>(script);
      without.remove(i);
      if (fails(without)) {
        script = without;
      }
    }
    return script;
  }

  private boolean fails(List<String> script) {
    try {
      run(script);
      return false;
    } catch (Throwable t) {
      return true;
    }
  }
}
