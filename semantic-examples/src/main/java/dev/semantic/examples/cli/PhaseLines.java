package dev.semantic.examples.cli;

import dev.semantic.examples.terminal.Progress;
import dev.semantic.examples.terminal.Terminal;
import dev.semantic.memory.ByteSize;
import dev.semantic.swap.SwapListener;
import dev.semantic.swap.SwapPhase;
import dev.semantic.swap.SwapPlan;
import dev.semantic.swap.SwapReport;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Shows a swap while it runs: its phases, and how many bytes have come. On standard error. */
final class PhaseLines implements SwapListener {
  private final Terminal terminal;
  private final boolean silent;
  private @Nullable Progress progress;

  PhaseLines(Terminal terminal, boolean silent) {
    this.terminal = terminal;
    this.silent = silent;
  }

  @Override
  public synchronized void planned(SwapPlan plan) {
    if (!silent) {
      terminal.err().println("  [" + lower(plan.strategy()) + ": " + plan.reason() + "]");
    }
  }

  @Override
  public synchronized void phase(SwapPhase phase) {
    stop();
    if (!silent) {
      terminal.err().println("  [" + lower(phase) + "]");
      if (phase == SwapPhase.LOADING) {
        progress = Progress.drawn(terminal, "  loading");
      }
    }
  }

  @Override
  public synchronized void progress(ByteSize done, ByteSize total) {
    if (progress != null) {
      progress.update(done.bytes(), total.bytes());
    }
  }

  @Override
  public synchronized void finished(SwapReport report) {
    stop();
  }

  private void stop() {
    if (progress != null) {
      progress.close();
      progress = null;
    }
  }

  private static String lower(Enum<?> value) {
    return value.name().toLowerCase(Locale.ROOT).replace('_', ' ');
  }
}
