package dev.semantic.benchmarks.scale;

import dev.semantic.memory.ByteSize;
import dev.semantic.memory.ReclaimReport;
import dev.semantic.mlx.MemoryForecast;
import dev.semantic.model.ModelId;
import dev.semantic.swap.SwapPhase;
import dev.semantic.swap.SwapReport;
import dev.semantic.swap.SwapStrategy;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * A swap, and what was seen of it from outside.
 *
 * @param cached which part of the new model's files was in the page cache when it began
 * @param sequential how long reading those files takes, cold or warm as they were
 * @param warmUp the first token of the new model
 * @param freed what there was after the unload
 * @param before resident size when it began
 * @param after when it had ended, and the peak between the two
 * @param larger weights of the larger of both models
 * @param activeThen MLX's active bytes when the new weights were there
 * @param raisedByToken by how much the first token raised them, at most
 */
record SwapRow(
    SwapReport report,
    boolean cold,
    double cached,
    long fileBytes,
    Duration sequential,
    Duration warmUp,
    SwapWatch.Freed freed,
    ByteSize before,
    ProcessMemory after,
    MemoryPeak peak,
    ByteSize larger,
    ByteSize pool,
    MemoryForecast forecast,
    long activeThen,
    long raisedByToken) {

  private Duration total() {
    return report.total().minus(warmUp);
  }

  private long bound() {
    return larger.bytes() + larger.bytes() / 10 + pool.bytes();
  }

  private String title() {
    return "%s → %s, %s".formatted(name(report.from()), name(report.to()), cold ? "cold" : "warm");
  }

  private static String name(Optional<ModelId> model) {
    return String.valueOf(Path.of(model.orElseThrow().name()).getFileName());
  }

  static void print(List<SwapRow> rows) {
    System.out.printf("%n## Time, in seconds%n%n| swap | plan |");
    for (SwapPhase phase : SwapPhase.values()) {
      System.out.printf(" %s |", phase.name().toLowerCase(Locale.ROOT));
    }
    System.out.println(
        " of this a token | total without it | blackout without it | file, GB | cached | read"
            + " sequentially | ratio |");
    System.out.println("|---|---|" + "--:|".repeat(SwapPhase.values().length + 7));
    rows.forEach(SwapRow::printTime);
    System.out.printf(
        "%n## Memory, in MB%n%n| swap | model's | active after unload | MLX cache | RSS before |"
            + " RSS after unload | RSS after | peak RSS | most file pages | most besides | bound |"
            + " within |%n");
    System.out.println("|---|" + "--:|".repeat(11));
    rows.forEach(SwapRow::printMemory);
    System.out.printf(
        "%n## Forecast for one token, in MB%n%n| model | weights | pool | working | total |"
            + " measured weights | measured peak | said of it |%n");
    System.out.println("|---|" + "--:|".repeat(7));
    rows.forEach(SwapRow::printForecast);
  }

  private void printTime() {
    System.out.printf("| %s | %s |", title(), report.plan().orElseThrow().strategy());
    for (SwapPhase phase : SwapPhase.values()) {
      System.out.printf(" %s |", seconds(report.phases().getOrDefault(phase, Duration.ZERO)));
    }
    boolean dark = report.blackout().compareTo(warmUp) > 0;
    System.out.printf(
        Locale.ROOT,
        " %s | %s | %s | %.2f | %.0f %% | %s | %.2f |%n",
        seconds(warmUp),
        seconds(total()),
        seconds(dark ? report.blackout().minus(warmUp) : report.blackout()),
        fileBytes / 1e9,
        100 * cached,
        seconds(sequential),
        total().toNanos() / (double) sequential.toNanos());
  }

  private void printMemory() {
    ReclaimReport reclaim = report.reclaim().orElseThrow();
    System.out.printf(
        "| %s | %s | %s | %s | %s | %s | %s | %s | %s | %s | %s | %s |%n",
        title(),
        mega(reclaim.modelBytes()),
        mega(freed.active()),
        mega(freed.cached()),
        mega(before),
        mega(freed.resident()),
        mega(after.resident()),
        mega(after.peak()),
        mega(peak.files()),
        mega(peak.besides()),
        mega(new ByteSize(bound())),
        after.peak().bytes() <= bound() ? "yes" : "no");
  }

  private void printForecast() {
    boolean beside = report.plan().orElseThrow().strategy() == SwapStrategy.MAKE_BEFORE_BREAK;
    long weights = activeThen - (beside ? report.activeBefore() : freed.active()).bytes();
    long all = weights + raisedByToken;
    System.out.printf(
        Locale.ROOT,
        "| %s | %s | %s | %s | %s | %s | %s | %.4f |%n",
        name(report.to()),
        mega(forecast.weights()),
        mega(forecast.caches()),
        mega(forecast.working()),
        mega(forecast.total()),
        mega(new ByteSize(weights)),
        mega(new ByteSize(all)),
        forecast.total().bytes() / (double) all);
  }

  private static String seconds(Duration duration) {
    return String.format(Locale.ROOT, "%.2f", duration.toNanos() / 1e9);
  }

  private static String mega(ByteSize size) {
    return String.format(Locale.ROOT, "%,.0f", size.bytes() / 1e6);
  }
}
