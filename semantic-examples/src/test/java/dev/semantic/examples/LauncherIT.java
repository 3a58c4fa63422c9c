package dev.semantic.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.examples.testing.Project;
import dev.semantic.examples.testing.RequiresModels;
import dev.semantic.examples.testing.Run;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The program {@code semantic} beside the built jar. */
@RequiresModels
class LauncherIT {
  private static final Path TARGET = Project.module().resolve("target");

  /** The JVM ends where it cannot use the cache, instead of going on without. */
  private static final Map<String, String> ONLY_WITH_CACHE =
      Map.of("JAVA_TOOL_OPTIONS", "-XX:AOTMode=on");

  @TempDir private Path directory = Path.of("");

  private Run run(Path program, Map<String, String> environment, String... arguments)
      throws IOException, InterruptedException {
    return Program.start(directory, environment, List.of(program.toString()), List.of(arguments))
        .end();
  }

  @Test
  void theCacheOfTheBuildIsOneThatTheJvmTakes() throws Exception {
    Run run = run(TARGET.resolve("semantic"), ONLY_WITH_CACHE, "--version");
    assertEquals(0, run.code(), run::toString);
    assertTrue(run.out().startsWith("semantic "), run.out());
  }

  @Test
  void aLinkToItFindsTheJar() throws Exception {
    Path link = Files.createSymbolicLink(directory.resolve("s"), TARGET.resolve("semantic"));
    Path further = Files.createSymbolicLink(directory.resolve("further"), Path.of("s"));
    for (Path program : List.of(link, further)) {
      Run run = run(program, Map.of(), "tokenize", Project.SMOL, "two  words", "--json");
      assertEquals(3, run.json("tokens").get("tokens").size());
    }
  }

  @Test
  void aCacheThatDoesNotFitIsLeftAsideWithoutAWord() throws Exception {
    Path there = Files.createDirectory(directory.resolve("a b"));
    Path program = there.resolve("semantic");
    Files.copy(TARGET.resolve("semantic"), program);
    assertTrue(program.toFile().setExecutable(true));
    Files.copy(TARGET.resolve("semantic.jar"), there.resolve("semantic.jar"));
    Files.createSymbolicLink(there.resolve("lib"), TARGET.resolve("lib"));
    assertVersionAndNothingElse(run(program, Map.of(), "--version"));
    Files.writeString(there.resolve("semantic.aot"), "no cache");
    assertVersionAndNothingElse(run(program, Map.of(), "--version"));
    assertEquals(1, run(program, ONLY_WITH_CACHE, "--version").code());
  }

  @Test
  void anOlderJavaIsRefusedWithTheRemedy() throws Exception {
    Path old = Files.createDirectory(directory.resolve("jdk-17"));
    Files.writeString(old.resolve("release"), "IMPLEMENTOR=\"x\"\nJAVA_VERSION=\"17.0.12\"\n");
    Map<String, String> environment = Map.of("JAVA_HOME", old.toString());
    Run run = run(TARGET.resolve("semantic"), environment, "--version");
    run.assertFailed(1, "is Java 17", "25 is needed", "JAVA_HOME");
  }

  private static void assertVersionAndNothingElse(Run run) {
    assertEquals(0, run.code(), run::toString);
    assertTrue(run.out().matches("semantic \\d+\\.\\d+\\.\\d+.*\\R"), run.out());
    assertEquals("", run.err());
  }
}
