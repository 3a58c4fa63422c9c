package dev.semantic.registry;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A process with little heap that another part of it exhausts for moments, while agents are
 * answered and models are changed: {@link StarvedProgram}. Every request ends, every thread lives,
 * and once there is memory again everything works.
 */
class StarvedTest {
  @TempDir Path directory;

  @ParameterizedTest
  @ValueSource(strings = {"-XX:+UseSerialGC", "-XX:+UseG1GC"})
  void aHeapThatComesBackBringsEverythingBack(String collector) throws Exception {
    Path said = directory.resolve("said");
    Process program =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx48m",
                collector,
                "-cp",
                System.getProperty("java.class.path"),
                StarvedProgram.class.getName())
            .redirectErrorStream(true)
            .redirectOutput(said.toFile())
            .start();
    try {
      assertTrue(program.waitFor(4, TimeUnit.MINUTES), "it never ended");
    } finally {
      program.destroyForcibly();
    }
    assertEquals(0, program.exitValue(), Files.readString(said));
  }
}
