package dev.semantic.examples.server.clients;

import dev.semantic.examples.server.http.HttpFailure;
import dev.semantic.examples.server.http.Json;
import dev.semantic.model.ModelSpec;
import dev.semantic.registry.ModelRegistry;
import io.helidon.webserver.http.HttpRules;
import io.helidon.webserver.http.HttpService;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Which model a client may name: the one that serves. Both kinds of clients find their fields. */
public final class ModelsApi implements HttpService {
  private final ModelRegistry registry;

  public ModelsApi(ModelRegistry registry) {
    this.registry = registry;
  }

  @Override
  public void routing(HttpRules rules) {
    rules.get("/", this::list).get("/{+model}", this::find);
  }

  private void list(ServerRequest request, ServerResponse response) {
    List<Map<String, @Nullable Object>> models =
        registry.current().map(ModelsApi::fields).stream().toList();
    Object id = registry.current().map(spec -> spec.id().name()).orElse(null);
    Json.send(
        response,
        200,
        Json.object(
            "object", "list", "data", models, "has_more", false, "first_id", id, "last_id", id));
  }

  private void find(ServerRequest request, ServerResponse response) {
    String name = request.path().pathParameters().get("model");
    Json.send(
        response,
        200,
        registry
            .current()
            .filter(spec -> spec.id().name().equals(name))
            .map(ModelsApi::fields)
            .orElseThrow(() -> missing(registry, name)));
  }

  /** That another one serves, or none. */
  public static HttpFailure missing(ModelRegistry registry, String name) {
    String serving =
        registry.current().map(spec -> spec.id() + " serves").orElse("no model serves");
    return new HttpFailure(
        404, "model_not_found", "The model '%s' is not loaded; %s".formatted(name, serving));
  }

  private static Map<String, @Nullable Object> fields(ModelSpec spec) {
    return Json.object(
        "id",
        spec.id().name(),
        "object",
        "model",
        "type",
        "model",
        "display_name",
        spec.id().name(),
        "created",
        0,
        "created_at",
        "1970-01-01T00:00:00Z",
        "owned_by",
        "semantic",
        "max_input_tokens",
        spec.contextLength());
  }
}
