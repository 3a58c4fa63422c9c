package dev.semantic.examples.cli;

import dev.semantic.examples.terminal.Terminal;

/** The program {@code semantic}. Exit codes: 0 done, 1 failed, 2 asked in a way that can't be. */
public final class Main {
  private Main() {}

  public static void main(String[] arguments) {
    System.exit(Cli.run(Terminal.ofProcess(), Arguments.asTyped(arguments)));
  }
}
