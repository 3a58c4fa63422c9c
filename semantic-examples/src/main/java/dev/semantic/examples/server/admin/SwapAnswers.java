package dev.semantic.examples.server.admin;

import dev.semantic.examples.server.http.Fields;
import dev.semantic.examples.server.http.Json;
import dev.semantic.model.ModelId;
import dev.semantic.model.ModelSpec;
import dev.semantic.registry.RegistryStatus;
import dev.semantic.swap.SwapPlan;
import dev.semantic.swap.SwapReport;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What the registry tells, as the admin's interface writes it. */
final class SwapAnswers {
  private SwapAnswers() {}

  static Map<String, @Nullable Object> status(RegistryStatus status) {
    Map<String, @Nullable Object> fields =
        Json.object(
            "status", lower(status.activity()),
            "swap", status.swap().orElse(null),
            "phase", status.phase().map(SwapAnswers::lower).orElse(null),
            "loaded_bytes", status.loaded().bytes(),
            "to_load_bytes", status.toLoad().bytes(),
            "since", status.since().toString(),
            "model", status.serving().map(spec -> spec.id().name()).orElse(null),
            "engine", lower(status.engine()),
            "running", status.running(),
            "waiting", status.waiting(),
            "hot_agents", status.hotAgents());
    fields.put("last_report", status.lastReport().map(SwapAnswers::report).orElse(null));
    return fields;
  }

  static Map<String, @Nullable Object> report(SwapReport report) {
    Map<String, @Nullable Object> fields =
        Json.object("id", report.id(), "started", report.started().toString());
    fields.putAll(SwapForm.json(report));
    return fields;
  }

  static Map<String, @Nullable Object> plan(SwapPlan plan) {
    return Json.object(
        "strategy", lower(plan.strategy()),
        "reason", plan.reason(),
        "compute", plan.compute().orElse(null),
        "to_load_bytes", plan.toLoad().bytes(),
        "needed_bytes", plan.needed().bytes(),
        "estimated_total_ms", plan.estimate().map(e -> milliseconds(e.total())).orElse(null),
        "estimated_blackout_ms", plan.estimate().map(e -> milliseconds(e.blackout())).orElse(null));
  }

  static Map<String, @Nullable Object> model(ModelSpec spec) {
    return Json.object(
        "model", spec.id().name(),
        "fingerprint", spec.tag().fingerprint(),
        "architecture", spec.architecture(),
        "parameters", spec.parameters(),
        "context_length", spec.contextLength(),
        "quantization", spec.quantization(),
        "compute", spec.compute(),
        "file_bytes", spec.fileSize().bytes(),
        "weight_bytes", spec.weightSize().bytes(),
        "chat_template", spec.chatTemplate());
  }

  /** A model as a request names it. */
  static ModelId id(Fields fields) {
    return new ModelId(fields.requiredText("model"));
  }

  static double milliseconds(Duration time) {
    return time.toNanos() / 1e6;
  }

  static String lower(Enum<?> value) {
    return value.name().toLowerCase(Locale.ROOT);
  }
}
