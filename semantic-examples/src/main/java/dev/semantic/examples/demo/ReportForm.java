package dev.semantic.examples.demo;

import dev.semantic.memory.ReclaimReport;
import dev.semantic.model.ModelId;
import dev.semantic.swap.SwapPlan;
import dev.semantic.swap.SwapReport;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A swap's report as a table and as JSON. */
final class ReportForm {
  private ReportForm() {}

  static double milliseconds(Duration time) {
    return time.toNanos() / 1e6;
  }

  static String table(SwapReport report) {
    StringBuilder table = new StringBuilder();
    row(table, "swap", name(report.from()) + " -> " + name(report.to()));
    row(table, "outcome", report.outcome() + ", " + name(report.serving()) + " serves");
    report.plan().ifPresent(plan -> row(table, "plan", plan.strategy() + ", " + plan.reason()));
    report.error().ifPresent(error -> row(table, "error", error));
    report.phases().forEach((phase, time) -> row(table, phase.toString(), inMilliseconds(time)));
    row(table, "total", inMilliseconds(report.total()));
    row(table, "blackout", inMilliseconds(report.blackout()));
    row(table, "active before", report.activeBefore().toString());
    row(table, "active after", report.activeAfter().toString());
    report.reclaim().ifPresent(reclaim -> row(table, "reclaimed", reclaim.toString()));
    row(
        table,
        "agents",
        report.agentsParked() + " parked, " + report.agentsRestored() + " restored");
    return table.toString();
  }

  private static void row(StringBuilder table, String name, String value) {
    table.append(String.format(Locale.ROOT, "| %-13s | %s%n", name, value));
  }

  private static String inMilliseconds(Duration time) {
    return String.format(Locale.ROOT, "%9.1f ms", milliseconds(time));
  }

  private static String name(Optional<ModelId> model) {
    return model.map(ModelId::name).orElse("nothing");
  }

  static Map<String, Object> json(SwapReport report) {
    Map<String, Object> phases = new LinkedHashMap<>();
    report.phases().forEach((phase, time) -> phases.put(lower(phase), milliseconds(time)));
    Map<String, @Nullable Object> fields = new LinkedHashMap<>();
    fields.put("from", report.from().map(ModelId::name).orElse(null));
    fields.put("to", report.to().map(ModelId::name).orElse(null));
    fields.put("outcome", lower(report.outcome()));
    fields.put("serving", report.serving().map(ModelId::name).orElse(null));
    fields.put(
        "strategy", report.plan().map(SwapPlan::strategy).map(ReportForm::lower).orElse(null));
    fields.put("phases_ms", phases);
    fields.put("total_ms", milliseconds(report.total()));
    fields.put("blackout_ms", milliseconds(report.blackout()));
    fields.put("active_bytes_before", report.activeBefore().bytes());
    fields.put("active_bytes_after", report.activeAfter().bytes());
    fields.put("reclaimed_bytes", report.reclaim().map(r -> r.reclaimed().bytes()).orElse(null));
    fields.put("reclaimed_share", report.reclaim().map(ReclaimReport::reclaimedShare).orElse(null));
    fields.put("agents_parked", report.agentsParked());
    fields.put("agents_restored", report.agentsRestored());
    fields.put("error", report.error().orElse(null));
    return fields;
  }

  private static String lower(Enum<?> value) {
    return value.name().toLowerCase(Locale.ROOT);
  }
}
