package dev.semantic.examples.cli;

import dev.semantic.examples.terminal.Progress;
import dev.semantic.examples.terminal.Terminal;
import dev.semantic.memory.ByteSize;
import dev.semantic.mlx.models.FetchEvent;
import dev.semantic.mlx.models.FetchProgress;
import dev.semantic.model.ModelId;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * A fetch as a person watches it: bytes, rate and the time that is left in a bar on a terminal; a
 * line now and then elsewhere. Nothing is shown of a fetch that has nothing to do.
 */
final class FetchBar implements FetchProgress, AutoCloseable {
  private static final long LINE_NANOS = Duration.ofSeconds(10).toNanos();

  private final Terminal terminal;
  private final ModelId model;
  private @Nullable Progress bar;
  private long lineAt = System.nanoTime();

  FetchBar(Terminal terminal, ModelId model) {
    this.terminal = terminal;
    this.model = model;
  }

  @Override
  public void progress(long doneBytes, long totalBytes) {
    if (bar == null && doneBytes < totalBytes) {
      bar = Progress.fetching(terminal, "Fetching " + model, doneBytes);
    }
    if (bar != null) {
      bar.update(doneBytes, totalBytes);
    }
  }

  @Override
  public void event(FetchEvent event) {
    switch (event) {
      case FetchEvent.Waiting(String reason, Duration time) ->
          terminal.err().printf("%s; again in %d s%n", reason, time.toSeconds());
      case FetchEvent.Moving moving -> tell(moving);
      case FetchEvent.Found _, FetchEvent.Checking _, FetchEvent.Published _ -> {}
    }
  }

  /** Where no bar can be drawn, a long silence is not what one wants either. */
  private void tell(FetchEvent.Moving moving) {
    long now = System.nanoTime();
    if (!terminal.interactive() && now - lineAt > LINE_NANOS) {
      lineAt = now;
      terminal.err().println(line(moving));
    }
  }

  static String line(FetchEvent.Moving moving) {
    String left = moving.remaining().map(time -> ", " + clock(time) + " left").orElse("");
    return "%s of %s, %s/s%s"
        .formatted(
            new ByteSize(moving.doneBytes()),
            new ByteSize(moving.totalBytes()),
            new ByteSize(moving.bytesPerSecond()),
            left);
  }

  private static String clock(Duration time) {
    return "%d:%02d:%02d".formatted(time.toHours(), time.toMinutesPart(), time.toSecondsPart());
  }

  @Override
  public void close() {
    if (bar != null) {
      bar.close();
    }
  }
}
