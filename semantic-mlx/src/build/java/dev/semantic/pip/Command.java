package dev.semantic.pip;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A program run to its end, its last lines of output kept for the error message. */
public final class Command {
  private static final int KEPT_LINES = 12;

  /**
   * How it ended.
   *
   * @param exitCode zero is success
   * @param tail the last lines of standard output and error
   */
  public record Result(int exitCode, String tail) {
    public boolean succeeded() {
      return exitCode == 0;
    }
  }

  private Command() {}

  /**
   * Runs {@code line} and waits.
   *
   * @param directory where it runs; null for the current one
   * @param environment added to our own
   * @throws IOException if it cannot be started, or this thread is interrupted (it is ended then)
   */
  public static Result run(
      List<String> line, @Nullable Path directory, Map<String, String> environment)
      throws IOException {
    ProcessBuilder builder = new ProcessBuilder(line).redirectErrorStream(true);
    if (directory != null) {
      builder.directory(directory.toFile());
    }
    builder.environment().putAll(environment);
    Process process = builder.start();
    try {
      process.getOutputStream().close();
      String tail = lastLines(process);
      return new Result(process.waitFor(), tail);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("Interrupted while running " + line.getFirst());
    } finally {
      process.destroy();
    }
  }

  private static String lastLines(Process process) throws IOException {
    ArrayDeque<String> last = new ArrayDeque<>();
    try (BufferedReader lines = process.inputReader(StandardCharsets.UTF_8)) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        last.addLast(line);
        if (last.size() > KEPT_LINES) {
          last.removeFirst();
        }
      }
    }
    return String.join("\n", last);
  }
}
