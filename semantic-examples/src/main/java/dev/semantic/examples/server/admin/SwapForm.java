package dev.semantic.examples.server.admin;

import dev.semantic.examples.terminal.PlainText;
import dev.semantic.memory.ReclaimReport;
import dev.semantic.model.ModelId;
import dev.semantic.swap.SwapReport;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A swap's report as {@code swap}, {@code soak} and {@code serve} tell it. */
public final class SwapForm {
  private SwapForm() {}

  /** Its figures by name; what there is none of is null. */
  public static Map<String, @Nullable Object> json(SwapReport report) {
    Map<String, Object> phases = new LinkedHashMap<>();
    report.phases().forEach((phase, time) -> phases.put(lower(phase), milliseconds(time)));
    Map<String, @Nullable Object> fields = new LinkedHashMap<>();
    fields.put("from", name(report.from()));
    fields.put("to", name(report.to()));
    fields.put("outcome", lower(report.outcome()));
    fields.put("serving", name(report.serving()));
    fields.put("strategy", report.plan().map(plan -> lower(plan.strategy())).orElse(null));
    fields.put("phases_ms", phases);
    fields.put("blackout_ms", milliseconds(report.blackout()));
    fields.put("total_ms", milliseconds(report.total()));
    fields.put("active_bytes_before", report.activeBefore().bytes());
    fields.put(
        "active_bytes_after_unload",
        report.reclaim().map(reclaim -> reclaim.afterUnload().bytes()).orElse(null));
    fields.put("reclaimed", report.reclaim().map(ReclaimReport::reclaimedShare).orElse(null));
    fields.put("agents_parked", report.agentsParked());
    fields.put("agents_restored", report.agentsRestored());
    fields.put("error", report.error().orElse(null));
    return fields;
  }

  /** The same for people. */
  public static String line(SwapReport report) {
    String reclaimed = report.reclaim().map(reclaim -> ", " + reclaim).orElse("");
    String error = report.error().map(why -> ": " + PlainText.name(why)).orElse("");
    return String.format(
        Locale.ROOT,
        "%s -> %s: %s%s; %s serves; %.0f ms, blackout %.0f ms, %d parked, %d restored%s",
        name(report.from()),
        name(report.to()),
        lower(report.outcome()),
        error,
        name(report.serving()),
        milliseconds(report.total()),
        milliseconds(report.blackout()),
        report.agentsParked(),
        report.agentsRestored(),
        reclaimed);
  }

  private static @Nullable String name(Optional<ModelId> model) {
    return model.map(ModelId::name).orElse(null);
  }

  private static double milliseconds(Duration time) {
    return time.toNanos() / 1e6;
  }

  private static String lower(Enum<?> value) {
    return value.name().toLowerCase(Locale.ROOT);
  }
}
