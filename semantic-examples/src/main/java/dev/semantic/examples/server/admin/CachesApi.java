package dev.semantic.examples.server.admin;

import dev.semantic.examples.server.http.HttpFailure;
import dev.semantic.examples.server.http.Json;
import dev.semantic.kv.AgentId;
import dev.semantic.registry.ModelRegistry;
import dev.semantic.store.CacheEntry;
import dev.semantic.store.DiskCacheStore;
import dev.semantic.store.ParkedCache;
import io.helidon.webserver.http.HttpRules;
import io.helidon.webserver.http.HttpService;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** What agents have parked, and how it is forgotten. */
public final class CachesApi implements HttpService {
  private final ModelRegistry registry;
  private final @Nullable DiskCacheStore store;

  /** A store that is null means that caches live in memory, and nobody can list them. */
  public CachesApi(ModelRegistry registry, @Nullable DiskCacheStore store) {
    this.registry = registry;
    this.store = store;
  }

  @Override
  public void routing(HttpRules rules) {
    rules
        .get("/", this::list)
        .get("/{+agent}", this::show)
        .delete("/", this::forgetAll)
        .delete("/{+agent}", this::forget);
  }

  private void list(ServerRequest request, ServerResponse response) {
    Json.send(response, 200, Json.object("caches", entries().map(CachesApi::fields).toList()));
  }

  private void show(ServerRequest request, ServerResponse response) {
    AgentId agent = agent(request);
    List<?> caches = entries().filter(entry -> isOf(entry, agent)).map(CachesApi::fields).toList();
    if (caches.isEmpty()) {
      throw new HttpFailure(404, "not_found", "Nothing is parked of this agent");
    }
    Json.send(response, 200, Json.object("agent", agent.name(), "caches", caches));
  }

  private void forget(ServerRequest request, ServerResponse response) {
    AgentId agent = agent(request);
    int removed = registry.forget(agent);
    Json.send(response, 200, Json.object("agent", agent.name(), "removed", removed));
  }

  private void forgetAll(ServerRequest request, ServerResponse response) {
    List<AgentId> agents =
        entries()
            .flatMap(entry -> entry.cache().stream())
            .map(ParkedCache::agent)
            .distinct()
            .toList();
    int removed = agents.stream().mapToInt(registry::forget).sum();
    Json.send(response, 200, Json.object("agents", agents.size(), "removed", removed));
  }

  private Stream<CacheEntry> entries() {
    if (store == null) {
      throw new HttpFailure(
          409,
          "no_directory",
          "Caches are kept in memory only; start with --cache-dir to see them");
    }
    return store.maintenance().list().stream();
  }

  private static AgentId agent(ServerRequest request) {
    return new AgentId(request.path().pathParameters().get("agent"));
  }

  private static boolean isOf(CacheEntry entry, AgentId agent) {
    return entry.cache().filter(cache -> cache.agent().equals(agent)).isPresent();
  }

  private static Map<String, @Nullable Object> fields(CacheEntry entry) {
    ParkedCache cache = entry.cache().orElse(null);
    return Json.object(
        "agent", cache == null ? null : cache.agent().name(),
        "model", cache == null ? null : cache.tag().model(),
        "tokens", cache == null ? null : cache.tokens(),
        "bytes", entry.size().bytes(),
        "parked", cache == null ? null : cache.when().toString(),
        "state", SwapAnswers.lower(entry.state()));
  }
}
