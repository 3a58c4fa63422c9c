package dev.semantic.simulation;

import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.semantic.memory.ByteSize;
import dev.semantic.registry.ModelRegistry;
import dev.semantic.swap.SwapListener;
import dev.semantic.swap.SwapPhase;
import dev.semantic.swap.SwapPlan;
import dev.semantic.swap.SwapReport;
import java.util.function.Supplier;

/** A listener that throws, hangs, and calls whom it should not. */
final class UnrulyListener implements SwapListener {
  private final SimulatedTimeline time;
  private final PortTrouble trouble;
  private final Supplier<ModelRegistry> registry;

  UnrulyListener(SimulatedTimeline time, PortTrouble trouble, Supplier<ModelRegistry> registry) {
    this.time = time;
    this.trouble = trouble;
    this.registry = registry;
  }

  @Override
  public void planned(SwapPlan plan) {
    trouble.strike("planned");
  }

  @Override
  public void phase(SwapPhase phase) {
    trouble.strike("phase");
    switch (trouble.isActive() ? time.random(20) : 20) {
      case 0 -> registry.get().cancelSwap();
      case 1 -> registry.get().status();
      case 2 -> assertThrows(IllegalStateException.class, () -> registry.get().close());
      default -> {}
    }
  }

  @Override
  public void progress(ByteSize done, ByteSize total) {
    trouble.strike("progress");
  }

  @Override
  public void finished(SwapReport report) {
    trouble.strike("finished");
  }
}
