package dev.semantic.examples.cli;

import dev.semantic.examples.terminal.Terminal;
import dev.semantic.examples.testing.Run;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/** Runs a command line in this JVM. */
final class InProcess {
  private InProcess() {}

  static Run run(String... arguments) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    int code = Cli.run(Terminal.of(out, err), arguments);
    return new Run(
        code, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
  }
}
