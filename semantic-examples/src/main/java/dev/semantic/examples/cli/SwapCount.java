package dev.semantic.examples.cli;

import dev.semantic.examples.server.admin.SwapForm;
import dev.semantic.examples.terminal.Terminal;
import dev.semantic.swap.SwapReport;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import org.jspecify.annotations.Nullable;

/** How many swaps are done: a bar on a terminal, a line each elsewhere. On standard error. */
final class SwapCount implements AutoCloseable {
  private final Terminal terminal;
  private final int total;
  private final @Nullable ProgressBar bar;
  private int done;

  SwapCount(Terminal terminal, int total) {
    this.terminal = terminal;
    this.total = total;
    this.bar =
        terminal.interactive()
            ? new ProgressBarBuilder()
                .setTaskName("Swaps")
                .setInitialMax(total)
                .setStyle(ProgressBarStyle.ASCII)
                .setConsumer(new ConsoleProgressBarConsumer(terminal.err()))
                .build()
            : null;
  }

  void swapped(SwapReport report) {
    done++;
    if (bar != null) {
      bar.step();
    } else {
      terminal.err().printf("%d/%d %s%n", done, total, SwapForm.line(report));
    }
  }

  @Override
  public void close() {
    if (bar != null) {
      bar.close();
    }
  }
}
