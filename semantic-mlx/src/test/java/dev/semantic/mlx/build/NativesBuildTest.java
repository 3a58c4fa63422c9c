package dev.semantic.mlx.build;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.semantic.io.PrivateFiles;
import dev.semantic.mlx.files.OnceDirectory;
import java.io.File;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.StringJoiner;
import java.util.stream.Stream;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.Logger;

/** The program that Maven runs to build the natives, on machines that lack something. */
class NativesBuildTest {
  @TempDir Path home;

  private record Ended(int exitCode, String output) {}

  private Ended run(String path, String... options) throws Exception {
    ProcessBuilder builder = new ProcessBuilder();
    builder.command().add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    // The program must not find a cargo of the machine's user.
    builder.command().add("-Duser.home=" + home);
    builder.command().addAll(List.of(options));
    builder.command().addAll(List.of("-classpath", classPath()));
    builder.command().add("src/build/java/dev/semantic/build/NativesBuild.java");
    builder.command().add(home.resolve("natives.jar").toString());
    builder.command().add(home.resolve("openblas.jar").toString());
    builder.environment().put("PATH", path);
    builder.environment().put("SEMANTIC_HOME", home.resolve("cache").toString());
    builder.environment().remove("CXX");
    Process process = builder.redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    return new Ended(process.waitFor(), output);
  }

  /** What the build has: this module and those that it needs. */
  private static String classPath() throws URISyntaxException {
    StringJoiner path = new StringJoiner(File.pathSeparator);
    for (Class<?> one :
        List.of(OnceDirectory.class, PrivateFiles.class, Logger.class, NullMarked.class)) {
      path.add(Path.of(one.getProtectionDomain().getCodeSource().getLocation().toURI()).toString());
    }
    return path.toString();
  }

  @Test
  void whatIsMissingIsNamedWithItsInstallLineBeforeAnyDownload() throws Exception {
    assumeTrue(System.getProperty("os.name").equals("Linux"));
    Ended ended = run(Files.createDirectory(home.resolve("empty")).toString());
    assertEquals(1, ended.exitCode(), ended.output());
    for (String line :
        new String[] {
          "apt-get install python3 python3-pip", "apt-get install cargo", "apt-get install g++"
        }) {
      assertTrue(ended.output().contains(line), ended.output());
    }
    assertFalse(ended.output().contains("fetching"), ended.output());
    assertTrue(nothingMade(), "something was made");
  }

  @Test
  void onlyWhatIsMissingIsNamed() throws Exception {
    assumeTrue(System.getProperty("os.name").equals("Linux"));
    Path programs = Files.createDirectory(home.resolve("programs"));
    for (String name : new String[] {"python3", "cargo"}) {
      Path program = Files.writeString(programs.resolve(name), "#!/bin/sh\nexit 0\n");
      assertTrue(program.toFile().setExecutable(true));
    }
    Ended ended = run(programs.toString());
    assertEquals(1, ended.exitCode(), ended.output());
    assertTrue(ended.output().contains("apt-get install g++"), ended.output());
    assertFalse(ended.output().contains("python3-pip"), ended.output());
    assertFalse(ended.output().contains("install cargo"), ended.output());
  }

  @Test
  void skipBuildsNothingAndSaysSo() throws Exception {
    Ended ended = run("", "-Dsemantic.natives=skip");
    assertEquals(0, ended.exitCode(), ended.output());
    assertTrue(ended.output().contains("skipped"), ended.output());
    assertTrue(nothingMade(), "something was made");
  }

  private boolean nothingMade() throws IOException {
    Path natives = home.resolve("cache/natives");
    if (!Files.exists(natives)) {
      return true;
    }
    try (Stream<Path> entries = Files.list(natives)) {
      return entries.allMatch(p -> p.toString().endsWith(".lock"));
    }
  }
}
