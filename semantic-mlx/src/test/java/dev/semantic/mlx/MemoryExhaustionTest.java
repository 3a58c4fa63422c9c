package dev.semantic.mlx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.mlx.testing.RequiresModels;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The kernel gives no more memory in the middle of a swap, in a process of its own. */
@RequiresModels
@EnabledOnOs(OS.LINUX)
class MemoryExhaustionTest {
  @TempDir Path directory;

  /** For its weights, or not even for its file. */
  @ParameterizedTest
  @CsvSource({"900MiB, ROLLED_BACK: , LOADING", "100MiB, REFUSED: , PREPARING"})
  void theModelThatHasNoRoomIsGivenUpAndTheOldOneServes(String more, String outcome, String phase)
      throws Exception {
    Path log = directory.resolve("log");
    Path errors = directory.resolve("errors");
    Process program =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx256m",
                "-XX:+UseSerialGC",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                PoorProgram.class.getName(),
                more)
            .redirectOutput(log.toFile())
            .redirectError(errors.toFile())
            .start();
    boolean ended = program.waitFor(2, TimeUnit.MINUTES);
    program.destroyForcibly();
    List<String> said = Files.readAllLines(log, StandardCharsets.UTF_8);
    String last = said + Files.readString(errors, StandardCharsets.UTF_8);
    assertTrue(ended && program.waitFor() == 0, last);
    String swap = said.get(said.size() - 3);
    assertTrue(swap.startsWith(outcome) && swap.contains("failed while " + phase), last);
    assertEquals("serving Optional[smollm2-135m-instruct]", said.get(said.size() - 2), last);
    assertEquals("same answer true", said.getLast(), last);
  }
}
