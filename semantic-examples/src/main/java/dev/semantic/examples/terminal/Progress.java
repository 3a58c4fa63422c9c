package dev.semantic.examples.terminal;

import java.io.PrintStream;
import java.time.Duration;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import org.jspecify.annotations.Nullable;

/**
 * How far something has come: a bar on a terminal; elsewhere nothing, or a line where it would be a
 * long silence. Goes to standard error.
 */
public final class Progress implements AutoCloseable {
  private static final long MEBIBYTE = 1L << 20;

  private final @Nullable ProgressBar bar;

  private Progress(@Nullable ProgressBar bar) {
    this.bar = bar;
  }

  /** Seen by those who watch, and by nobody else. */
  public static Progress drawn(Terminal terminal, String task) {
    return new Progress(terminal.interactive() ? bar(terminal.drawing(), task) : null);
  }

  /** As {@link #drawn}, but one line says what is going on where no bar can be drawn. */
  public static Progress told(Terminal terminal, String task) {
    if (!terminal.interactive()) {
      terminal.err().println(task + " ...");
    }
    return drawn(terminal, task);
  }

  /** As {@link #told}, with the rate and the time that is left, from so many bytes on. */
  public static Progress fetching(Terminal terminal, String task, long doneBytes) {
    return terminal.interactive()
        ? new Progress(
            builder(terminal.drawing(), task)
                .startsFrom(doneBytes, Duration.ZERO)
                .showSpeed()
                .build())
        : told(terminal, task);
  }

  private static ProgressBar bar(PrintStream to, String task) {
    return builder(to, task).build();
  }

  private static ProgressBarBuilder builder(PrintStream to, String task) {
    return new ProgressBarBuilder()
        .setTaskName(PlainText.of(task))
        .setUnit(" MiB", MEBIBYTE)
        .setStyle(ProgressBarStyle.ASCII)
        .setUpdateIntervalMillis(100)
        .setConsumer(new ConsoleProgressBarConsumer(to));
  }

  /** So many bytes are done. */
  public void update(long doneBytes, long totalBytes) {
    if (bar != null) {
      bar.maxHint(totalBytes);
      bar.stepTo(doneBytes);
    }
  }

  @Override
  public void close() {
    if (bar != null) {
      bar.close();
    }
  }
}
