package dev.semantic.examples.demo;

import dev.semantic.examples.terminal.Progress;
import dev.semantic.examples.terminal.Terminal;
import dev.semantic.memory.ByteSize;
import dev.semantic.swap.SwapListener;
import dev.semantic.swap.SwapPhase;
import dev.semantic.swap.SwapReport;
import org.jspecify.annotations.Nullable;

/** Draws how far a load is, on a terminal. */
final class SwapProgress implements SwapListener {
  private final Terminal terminal;
  private @Nullable Progress progress;

  SwapProgress(Terminal terminal) {
    this.terminal = terminal;
  }

  @Override
  public void phase(SwapPhase phase) {
    stop();
    if (phase == SwapPhase.LOADING) {
      progress = Progress.drawn(terminal, "Loading");
    }
  }

  @Override
  public void progress(ByteSize done, ByteSize total) {
    if (progress != null) {
      progress.update(done.bytes(), total.bytes());
    }
  }

  @Override
  public void finished(SwapReport report) {
    stop();
  }

  private void stop() {
    if (progress != null) {
      progress.close();
      progress = null;
    }
  }
}
