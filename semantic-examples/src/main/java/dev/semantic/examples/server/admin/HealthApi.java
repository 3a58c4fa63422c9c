package dev.semantic.examples.server.admin;

import dev.semantic.examples.server.http.Json;
import dev.semantic.generate.EngineMode;
import dev.semantic.registry.ModelRegistry;
import dev.semantic.registry.RegistryStatus;
import io.helidon.webserver.http.HttpRules;
import io.helidon.webserver.http.HttpService;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/** Whether the process lives, and whether a request would be answered now. Never waits. */
public final class HealthApi implements HttpService {
  private final ModelRegistry registry;
  private final BooleanSupplier ending;

  public HealthApi(ModelRegistry registry, BooleanSupplier ending) {
    this.registry = registry;
    this.ending = ending;
  }

  @Override
  public void routing(HttpRules rules) {
    rules.get("/live", this::live).get("/ready", this::ready);
  }

  private void live(ServerRequest request, ServerResponse response) {
    Json.send(response, 200, Json.object("status", "up"));
  }

  private void ready(ServerRequest request, ServerResponse response) {
    Optional<String> reason = whyNot();
    Json.send(
        response,
        reason.isPresent() ? 503 : 200,
        Json.object(
            "status", reason.isPresent() ? "down" : "up",
            "model", registry.current().map(spec -> spec.id().name()).orElse(null),
            "reason", reason.orElse(null)));
  }

  private Optional<String> whyNot() {
    if (ending.getAsBoolean()) {
      return Optional.of("the server is stopping");
    }
    RegistryStatus status = registry.status();
    if (status.engine() == EngineMode.SERVING) {
      return Optional.empty();
    }
    return Optional.of(
        status
            .phase()
            .map(phase -> "a swap is " + SwapAnswers.lower(phase))
            .orElse("no model serves; the engine is " + SwapAnswers.lower(status.engine())));
  }
}
