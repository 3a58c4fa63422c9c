package dev.semantic.examples.terminal;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;

/**
 * Where a command writes: results to {@code out}, everything else to {@code err}, both UTF-8.
 *
 * @param interactive whether a person watches {@code err}: progress is drawn then
 */
public record Terminal(PrintStream out, PrintStream err, boolean interactive) {
  private static final Path STANDARD_INPUT = Path.of("/proc/self/fd/0");
  private static final Path STANDARD_ERROR = Path.of("/proc/self/fd/2");

  /** The process' own streams. */
  public static Terminal ofProcess() {
    return new Terminal(
        utf8(FileDescriptor.out), utf8(FileDescriptor.err), isDevice(STANDARD_ERROR));
  }

  /** Whether a person sits at both ends: watches, and types into standard input. */
  public boolean conversational() {
    return interactive && isDevice(STANDARD_INPUT);
  }

  /** Writes to no one but the caller's streams, without progress. */
  public static Terminal of(OutputStream out, OutputStream err) {
    return new Terminal(
        new PrintStream(out, true, StandardCharsets.UTF_8),
        new PrintStream(err, true, StandardCharsets.UTF_8),
        false);
  }

  private static PrintStream utf8(FileDescriptor stream) {
    return new PrintStream(new FileOutputStream(stream), true, StandardCharsets.UTF_8);
  }

  private static boolean isDevice(Path stream) {
    try {
      String device = Files.readSymbolicLink(stream).toString();
      return device.startsWith("/dev/pts/") || device.startsWith("/dev/tty");
    } catch (IOException | UnsupportedOperationException e) {
      return Objects.requireNonNull(System.console()).isTerminal();
    }
  }
}
