package dev.semantic.examples.terminal;

import java.io.Console;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Where a command writes: results to {@code out}, everything else to {@code err}, both UTF-8. What
 * steers a terminal does not get through to one ({@link PlainText}), whoever wrote it; into a file
 * or a pipe results go as they are.
 *
 * @param interactive whether a person watches {@code err}: progress is drawn then
 * @param help where {@code out} leads, for what is ours from the first letter to the last
 * @param drawing where {@code err} leads, for bars
 */
public record Terminal(
    PrintStream out, PrintStream err, boolean interactive, PrintStream help, PrintStream drawing) {
  private static final Path STANDARD_INPUT = Path.of("/proc/self/fd/0");
  private static final Path STANDARD_OUTPUT = Path.of("/proc/self/fd/1");
  private static final Path STANDARD_ERROR = Path.of("/proc/self/fd/2");

  /** The process' own streams. */
  public static Terminal ofProcess() {
    return of(
        new FileOutputStream(FileDescriptor.out),
        isDevice(STANDARD_OUTPUT, true),
        new FileOutputStream(FileDescriptor.err),
        isDevice(STANDARD_ERROR, isConsole()));
  }

  /** Whether a person sits at both ends: watches, and types into standard input. */
  public boolean conversational() {
    return interactive && isDevice(STANDARD_INPUT, isConsole());
  }

  /** Writes to no one but the caller's streams, which are no terminal, without progress. */
  public static Terminal of(OutputStream out, OutputStream err) {
    return of(out, false, err, false);
  }

  /** The same, to a terminal or not. */
  static Terminal of(
      OutputStream out, boolean outIsTerminal, OutputStream err, boolean errIsTerminal) {
    return new Terminal(
        utf8(outIsTerminal ? PlainText.to(out) : out),
        utf8(PlainText.to(err)),
        errIsTerminal,
        utf8(out),
        utf8(err));
  }

  private static PrintStream utf8(OutputStream stream) {
    return new PrintStream(stream, true, StandardCharsets.UTF_8);
  }

  /**
   * Whether a stream is a terminal.
   *
   * @param unknown the answer where the system doesn't tell
   */
  private static boolean isDevice(Path stream, boolean unknown) {
    try {
      String device = Files.readSymbolicLink(stream).toString();
      return device.startsWith("/dev/pts/")
          || device.startsWith("/dev/tty")
          || device.startsWith("/dev/console");
    } catch (IOException | UnsupportedOperationException e) {
      return unknown;
    }
  }

  private static boolean isConsole() {
    // Since Java 25 there is none again where streams lead elsewhere.
    return Optional.ofNullable(System.console()).map(Console::isTerminal).orElse(false);
  }
}
