package dev.semantic.examples.cli;

import dev.semantic.examples.terminal.Terminal;

/** The program {@code semantic}. Exit codes: 0 done, 1 failed, 2 asked in a way that can't be. */
public final class Main {
  private Main() {}

  public static void main(String[] arguments) {
    Terminal terminal = Terminal.ofProcess();
    System.setErr(terminal.err()); // where loggers and the JVM itself write
    System.exit(Cli.run(terminal, Arguments.asTyped(arguments)));
  }
}
