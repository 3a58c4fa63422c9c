package dev.semantic.examples.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import dev.semantic.examples.terminal.PlainText;
import dev.semantic.examples.terminal.Terminal;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;

/** Runs one command line and turns its end, good or bad, into an exit code and one line of text. */
final class Cli {
  private static final int DONE = 0;
  private static final int FAILED = 1;
  private static final int MISUSED = 2;
  private static final int LONGEST = 2000;

  private Cli() {}

  static int run(Terminal terminal, String... arguments) {
    chooseLogLevel(arguments);
    StartupCache.of(arguments);
    SemanticCommand root = new SemanticCommand(terminal);
    CommandLine commands =
        new CommandLine(root)
            .setExpandAtFiles(false) // "@home" is a text like any other
            .setCaseInsensitiveEnumValuesAllowed(true)
            .setOut(writer(terminal.help()))
            .setErr(writer(terminal.drawing()))
            .setParameterExceptionHandler((e, _) -> misuse(terminal.err(), e))
            .setExecutionExceptionHandler((e, _, _) -> fail(root, terminal.err(), e));
    int code;
    try {
      code = commands.execute(arguments);
    } catch (Throwable e) { // picocli hands on what is no Exception: a missing library, no memory
      code = fail(root, terminal.err(), e);
    }
    terminal.out().flush();
    if (code == DONE && terminal.out().checkError()) {
      return fail(root, terminal.err(), new IllegalStateException("Standard output was closed"));
    }
    return code;
  }

  private static PrintWriter writer(PrintStream stream) {
    return new PrintWriter(stream, true, StandardCharsets.UTF_8);
  }

  /** Before the first logger is made: it would not look again. */
  private static void chooseLogLevel(String[] arguments) {
    boolean verbose = Arrays.asList(arguments).contains(SemanticCommand.VERBOSE);
    level("defaultLogLevel", verbose ? "info" : "warn");
    // A swap that fails says so in its exception, which is printed in one line here.
    level("log.dev.semantic.registry", verbose ? "info" : "error");
  }

  private static void level(String key, String level) {
    String property = "org.slf4j.simpleLogger." + key;
    if (System.getProperty(property) == null) {
      System.setProperty(property, level);
    }
  }

  private static int misuse(PrintStream err, ParameterException e) {
    String help = e.getCommandLine().getCommandSpec().qualifiedName() + " --help";
    err.println(
        "semantic: "
            + oneLine(e.getMessage()).replaceFirst("^Error: ", "")
            + " (see "
            + help
            + ")");
    return MISUSED;
  }

  private static int fail(SemanticCommand root, PrintStream err, Throwable e) {
    err.println("semantic: " + oneLine(describe(e)));
    if (root.verbose()) {
      e.printStackTrace(err);
    }
    return FAILED;
  }

  /** What the exceptions of java.nio leave out is what went wrong. */
  private static String describe(Throwable e) {
    return switch (e) {
      case NoSuchFileException missing -> "There is no file " + missing.getFile();
      case AccessDeniedException denied -> "No permission to use " + denied.getFile();
      case FileSystemException other -> "Cannot use " + other.getMessage();
      case JsonProcessingException json -> json.getOriginalMessage();
      case InvalidPathException path -> "Not a path: " + path.getInput();
      case OutOfMemoryError memory ->
          "Out of memory: %s. Give the JVM more by -Xmx, or free some"
              .formatted(memory.getMessage());
      default -> describeUnknown(e);
    };
  }

  private static String describeUnknown(Throwable e) {
    String message = e.getMessage();
    if (message == null || e instanceof Error) {
      String cause = e.getCause() == null ? "" : " (" + e.getCause() + ")";
      return "Unexpected %s%s; %s shows where".formatted(e, cause, SemanticCommand.VERBOSE);
    }
    return message;
  }

  /** Names and values of strangers are in it: they neither end the line nor steer the terminal. */
  static String oneLine(@Nullable String text) {
    if (text == null) {
      return "failed";
    }
    String line = PlainText.of(text.strip().replaceAll("\\s*\\R\\s*", " ")).replace('\t', ' ');
    return line.length() <= LONGEST
        ? line
        : line.substring(0, LONGEST / 2) + " ... " + line.substring(line.length() - LONGEST / 2);
  }
}
