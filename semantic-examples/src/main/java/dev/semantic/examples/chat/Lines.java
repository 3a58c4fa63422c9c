package dev.semantic.examples.chat;

import java.io.BufferedReader;
import java.io.IOError;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import org.jline.reader.EndOfFileException;
import org.jline.reader.LineReader;
import org.jline.reader.LineReaderBuilder;
import org.jline.reader.UserInterruptException;
import org.jline.terminal.Terminal;
import org.jline.terminal.TerminalBuilder;
import org.jspecify.annotations.Nullable;

/** What a person types, or what a pipe holds, line by line. */
public abstract class Lines implements AutoCloseable {
  private Lines() {}

  /** The next line; null at the end, or when Ctrl-C is pressed where nothing is being answered. */
  public abstract @Nullable String next() throws IOException;

  /** Whoever is answering stops when Ctrl-C is pressed. */
  public abstract void onInterrupt(Runnable stop);

  @Override
  public abstract void close() throws IOException;

  /** An editor with a history, where a person sits at both ends. */
  public static Lines ofTerminal() throws IOException {
    return new Edited(TerminalBuilder.builder().system(true).build());
  }

  /** Lines of a stream. */
  public static Lines of(InputStream in) {
    return new Piped(new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8)));
  }

  private static final class Edited extends Lines {
    private final Terminal terminal;
    private final LineReader reader;

    private Edited(Terminal terminal) {
      this.terminal = terminal;
      this.reader = LineReaderBuilder.builder().terminal(terminal).build();
      reader.option(LineReader.Option.DISABLE_EVENT_EXPANSION, true); // "!" is only a sign
    }

    @Override
    public @Nullable String next() {
      try {
        return reader.readLine("> ");
      } catch (UserInterruptException | EndOfFileException | IOError e) {
        return null; // the last is Ctrl-C while the editor was being set up
      } finally {
        // The editor learns of Ctrl-C by being interrupted; what comes next has to park.
        Thread.interrupted();
      }
    }

    @Override
    public void onInterrupt(Runnable stop) {
      terminal.handle(Terminal.Signal.INT, signal -> stop.run());
    }

    @Override
    public void close() throws IOException {
      terminal.close();
    }
  }

  private static final class Piped extends Lines {
    private final BufferedReader reader;

    private Piped(BufferedReader reader) {
      this.reader = reader;
    }

    @Override
    public @Nullable String next() throws IOException {
      return reader.readLine();
    }

    /** Nobody types into a pipe; the process itself is interrupted, and parks as it ends. */
    @Override
    public void onInterrupt(Runnable stop) {}

    @Override
    public void close() {}
  }
}
