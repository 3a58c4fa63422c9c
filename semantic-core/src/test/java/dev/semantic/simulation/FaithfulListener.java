package dev.semantic.simulation;

import dev.semantic.swap.SwapListener;
import dev.semantic.swap.SwapPhase;
import dev.semantic.swap.SwapReport;
import java.util.ArrayList;
import java.util.List;

/** A listener that hears of everything, whatever others do. */
final class FaithfulListener implements SwapListener {
  private final List<SwapPhase> phases = new ArrayList<>();
  private final List<SwapReport> reports = new ArrayList<>();

  @Override
  public void phase(SwapPhase phase) {
    phases.add(phase);
  }

  @Override
  public void finished(SwapReport report) {
    if (phases.containsAll(report.phases().keySet())) { // or it does not count
      reports.add(report);
    }
    phases.clear();
  }

  /** Of the swaps whose every phase it was told of. */
  List<SwapReport> reports() {
    return reports;
  }
}
