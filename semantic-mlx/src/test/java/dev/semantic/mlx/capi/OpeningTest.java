package dev.semantic.mlx.capi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.mlx.testing.RequiresNatives;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a host sees whose JVM, natives or settings don't fit; each in a JVM of its own. */
class OpeningTest {
  @TempDir Path home;

  private static List<String> open(String... options) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of(options));
    command.add("-classpath");
    command.add(System.getProperty("java.class.path"));
    command.add(OpeningProgram.class.getName());
    Process jvm =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start();
    String text = new String(jvm.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, jvm.waitFor(), text);
    return text.lines().toList();
  }

  private static void assertBothRefused(List<String> lines, String... words) {
    assertEquals(3, lines.size(), lines.toString());
    for (String word : words) {
      assertTrue(lines.get(0).contains(word), lines.get(0));
    }
    assertTrue(lines.get(0).startsWith("refused: "), lines.get(0));
    assertEquals(lines.get(0), lines.get(1), "the second attempt says the same");
  }

  @Test
  @RequiresNatives
  void aJvmThatRefusesNativeAccessNamesTheOption() throws Exception {
    assertBothRefused(open("--illegal-native-access=deny"), "--enable-native-access=ALL-UNNAMED");
  }

  @Test
  void aLibraryWithoutMlxsFunctionsNamesTheFirst() throws Exception {
    Path jdk = Path.of(System.getProperty("java.home"), "lib", System.mapLibraryName("jimage"));
    Files.copy(jdk, home.resolve(System.mapLibraryName("mlxc")));
    assertBothRefused(
        open("--enable-native-access=ALL-UNNAMED", "-Dsemantic.mlx.library=" + home),
        "has no function mlx_set_error_handler",
        "natives jar");
  }

  @Test
  @RequiresNatives
  void anUnknownDeviceIsRefusedAndThreadsDontPileUp() throws Exception {
    List<String> lines = open("--enable-native-access=ALL-UNNAMED", "-Dsemantic.mlx.device=tpu");
    assertBothRefused(lines, "semantic.mlx.device", "'cpu' or 'gpu'", "'tpu'");
    assertEquals("threads: 1", lines.get(2));
  }

  @Test
  @RequiresNatives
  void theCpuCanBeChosen() throws Exception {
    List<String> lines = open("--enable-native-access=ALL-UNNAMED", "-Dsemantic.mlx.device=cpu");
    assertEquals(List.of("opened on cpu", "opened on cpu", "threads: 1"), lines);
  }
}
