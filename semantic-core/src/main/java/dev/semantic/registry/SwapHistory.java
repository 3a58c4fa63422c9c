package dev.semantic.registry;

import dev.semantic.swap.SwapReport;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;

/** The last reports, oldest first. Thread-safe. */
final class SwapHistory {
  private final int bound;
  private final Deque<SwapReport> reports = new ArrayDeque<>();

  SwapHistory(int bound) {
    this.bound = bound;
  }

  synchronized void add(SwapReport report) {
    reports.addLast(report);
    if (reports.size() > bound) {
      reports.removeFirst();
    }
  }

  synchronized List<SwapReport> all() {
    return List.copyOf(reports);
  }
}
