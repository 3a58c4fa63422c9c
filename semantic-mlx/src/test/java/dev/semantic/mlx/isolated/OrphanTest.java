package dev.semantic.mlx.isolated;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.mlx.isolated.ParentProgram.Doing;
import dev.semantic.scripted.PortCall;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** No child outlives its parent, in whatever way that ends and whatever either of them does. */
class OrphanTest {
  @TempDir Path directory;

  static Stream<Arguments> everyEndAtEveryMoment() {
    return Stream.of("kill", "exit", "halt")
        .flatMap(end -> Stream.of(Doing.values()).map(doing -> Arguments.of(end, doing)));
  }

  @ParameterizedTest(name = "{0} while {1}")
  @MethodSource("everyEndAtEveryMoment")
  void endsWithItsParent(String end, Doing doing) throws Exception {
    Troubles troubles = new Troubles(directory);
    hold(troubles, doing);
    Process parent = parent(end);
    try (BufferedReader said = parent.inputReader(StandardCharsets.UTF_8)) {
      ProcessHandle child = ProcessHandle.of(Long.parseLong(line(said))).orElseThrow();
      await(troubles, doing, said);
      assertTrue(doing == Doing.STARTING || child.isAlive(), "it had ended before");
      end(parent, end);
      assertTrue(parent.waitFor(Troubles.PATIENCE.toSeconds(), TimeUnit.SECONDS));
      assertEquals(end.equals("kill") ? 137 : 0, parent.exitValue());
      child.onExit().get(Troubles.PATIENCE.toSeconds(), TimeUnit.SECONDS);
    } finally {
      parent.destroyForcibly();
    }
    if (doing != Doing.STARTING) { // a parent may be killed before there is anybody to clear up
      assertEquals(List.of(), sockets(), "a socket was left");
    }
  }

  /** A child that is stopped reads no end of its parent; it dies as soon as it goes on. */
  @Test
  void endsWithItsParentEvenIfItSleptThrough() throws Exception {
    Process parent = parent("kill");
    try (BufferedReader said = parent.inputReader(StandardCharsets.UTF_8)) {
      long pid = Long.parseLong(line(said));
      await(new Troubles(directory), Doing.IDLE, said);
      ProcessHandle child = ProcessHandle.of(pid).orElseThrow();
      Troubles.signal("STOP", pid);
      end(parent, "kill");
      assertTrue(parent.waitFor(Troubles.PATIENCE.toSeconds(), TimeUnit.SECONDS));
      assertTrue(child.isAlive());
      Troubles.signal("CONT", pid);
      child.onExit().get(Troubles.PATIENCE.toSeconds(), TimeUnit.SECONDS);
    } finally {
      parent.destroyForcibly();
    }
  }

  private static void hold(Troubles troubles, Doing doing) throws IOException {
    if (doing == Doing.LOADING) {
      troubles.holdAt(PortCall.LOAD);
    } else if (doing == Doing.IN_FORWARD) {
      troubles.holdAt(PortCall.FORWARD);
    }
  }

  private static void await(Troubles troubles, Doing doing, BufferedReader said)
      throws IOException {
    switch (doing) {
      case STARTING -> {}
      case IDLE -> assertEquals("idle", line(said));
      case LOADING -> troubles.awaitHeld(PortCall.LOAD);
      case IN_FORWARD -> troubles.awaitHeld(PortCall.FORWARD);
    }
  }

  /** The temporary directory is the test's, so that it can see what is left there. */
  private Process parent(String end) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("-XX:TieredStopAtLevel=1");
    command.add("-Djava.io.tmpdir=" + directory);
    command.addAll(List.of("-classpath", System.getProperty("java.class.path")));
    command.addAll(List.of(ParentProgram.class.getName(), directory.toString(), end));
    return new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start();
  }

  private static String line(BufferedReader said) throws IOException {
    String line = said.readLine();
    assertTrue(line != null, "the parent said nothing");
    return String.valueOf(line);
  }

  private static void end(Process parent, String how) throws IOException {
    if (how.equals("kill")) {
      parent.destroyForcibly();
    } else {
      try (OutputStream go = parent.getOutputStream()) {
        go.write('\n');
      }
    }
  }

  private List<Path> sockets() throws IOException {
    try (Stream<Path> entries = Files.list(directory)) {
      return entries
          .filter(entry -> entry.getFileName().toString().startsWith("semantic-"))
          .toList();
    }
  }
}
