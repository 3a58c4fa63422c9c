package dev.semantic.examples;

import dev.semantic.examples.testing.Project;
import dev.semantic.examples.testing.Run;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * The built jar in a process of its own, with its streams in files.
 *
 * @param process may be ended, fed and waited for
 */
record Program(Process process, Path out, Path err) {
  /** Starts it in {@code directory}, where its output goes, too. */
  static Program start(Path directory, Map<String, String> environment, List<String> arguments)
      throws IOException {
    String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    String jar = Project.module().resolve("target/semantic.jar").toString();
    return start(directory, environment, List.of(java, "-jar", jar), arguments);
  }

  /** The same by another program than {@code java -jar}; it finds this JVM's Java. */
  static Program start(
      Path directory, Map<String, String> environment, List<String> how, List<String> arguments)
      throws IOException {
    List<String> command = new ArrayList<>(how);
    command.addAll(arguments);
    Path out = Files.createTempFile(directory, "out", "");
    Path err = Files.createTempFile(directory, "err", "");
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .directory(directory.toFile())
            .redirectOutput(out.toFile())
            .redirectError(err.toFile());
    builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
    builder.environment().putAll(environment);
    return new Program(builder.start(), out, err);
  }

  /** How it ended, once it has. */
  Run end() throws IOException, InterruptedException {
    process.getOutputStream().close();
    if (!process.waitFor(4, TimeUnit.MINUTES)) {
      process.destroyForcibly();
      throw new AssertionError("It did not end; it said " + Files.readString(err));
    }
    return new Run(process.exitValue(), Files.readString(out), Files.readString(err));
  }

  /** Waits until it has said so, on standard error. */
  void awaitSaying(String words) throws IOException, InterruptedException {
    await(err, words);
  }

  /** Whether it has said so by now, on standard error. */
  boolean hasSaid(String words) throws IOException {
    return Files.readString(err).contains(words);
  }

  /** Waits until it has answered so, on standard output. */
  void awaitAnswering(String words) throws IOException, InterruptedException {
    await(out, words);
  }

  private void await(Path file, String words) throws IOException, InterruptedException {
    // Long enough for a machine that does other things, too; a program that hangs is ended.
    long end = System.nanoTime() + TimeUnit.MINUTES.toNanos(10);
    while (!Files.readString(file).contains(words)) {
      if (!process.isAlive() || System.nanoTime() > end) {
        kill();
        throw new AssertionError(
            "It never said '%s' but %s%s"
                .formatted(words, Files.readString(out), Files.readString(err)));
      }
      Thread.sleep(10);
    }
  }

  /** {@code kill -9}. */
  void kill() throws InterruptedException {
    process.destroyForcibly().waitFor();
  }
}
