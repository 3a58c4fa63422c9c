package dev.semantic.examples.server;

import dev.semantic.examples.server.admin.AdminApi;
import dev.semantic.examples.server.admin.CachesApi;
import dev.semantic.examples.server.admin.HealthApi;
import dev.semantic.examples.server.admin.SwapEvents;
import dev.semantic.examples.server.anthropic.MessagesApi;
import dev.semantic.examples.server.clients.Answers;
import dev.semantic.examples.server.clients.ModelsApi;
import dev.semantic.examples.server.clients.TokenCounter;
import dev.semantic.examples.server.http.Caller;
import dev.semantic.examples.server.http.ErrorShape;
import dev.semantic.examples.server.http.HttpFailure;
import dev.semantic.examples.server.http.Json;
import dev.semantic.examples.server.openai.ChatCompletionsApi;
import dev.semantic.examples.server.openai.CompletionsApi;
import dev.semantic.registry.ModelRegistry;
import dev.semantic.store.DiskCacheStore;
import io.helidon.http.DirectHandler;
import io.helidon.http.HeaderNames;
import io.helidon.http.HttpException;
import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.WebServer;
import io.helidon.webserver.http.FilterChain;
import io.helidon.webserver.http.HttpRouting;
import io.helidon.webserver.http.RoutingRequest;
import io.helidon.webserver.http.RoutingResponse;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Serves a registry over HTTP until it is closed; the registry stays its owner's to close. Any
 * thread. Each connection has a virtual thread; the registry's own are never waited on by another.
 */
public final class Server implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Server.class);

  /** How long a model serves at least while another one is waited for. */
  private static final Duration TURN = Duration.ofSeconds(2);

  /** Helidon's own lines would stand between what a terminal is told. */
  private static final java.util.logging.Logger HELIDON =
      java.util.logging.Logger.getLogger("io.helidon");

  private final Gatekeeper gatekeeper;
  private final AdminApi admin;
  private final WebServer web;
  private volatile boolean ending;

  private Server(ServerOptions options, Served served) {
    gatekeeper = new Gatekeeper(options);
    admin = new AdminApi(served.registry, served.events, served.available, options.maxBody());
    HELIDON.setLevel(java.util.logging.Level.SEVERE);
    web =
        WebServer.builder()
            .host(options.host())
            .port(options.port())
            .shutdownHook(false)
            .shutdownGracePeriod(Duration.ofSeconds(2))
            .connectionOptions(socket -> socket.tcpNoDelay(true))
            .idleConnectionTimeout(Duration.ofMinutes(2))
            .directHandlers(handlers -> answerOutsideRouting(handlers))
            .routing(rules -> route(rules, options, served))
            .build()
            .start();
  }

  /**
   * What is served.
   *
   * @param events a listener of that registry
   * @param store where agents are parked; null if that is memory
   * @param counter of the registry's models
   * @param available the models that can be asked for by name
   */
  public record Served(
      ModelRegistry registry,
      SwapEvents events,
      @Nullable DiskCacheStore store,
      TokenCounter counter,
      Supplier<List<Map<String, @Nullable Object>>> available) {}

  /**
   * Begins to listen.
   *
   * @throws RuntimeException if the port is taken
   */
  public static Server start(ServerOptions options, Served served) {
    if (options.adminKey().isEmpty()) {
      LOG.warn("ADMIN_API_KEY is not set: only programs of this machine may change models");
    }
    return new Server(options, served);
  }

  public int port() {
    return web.port();
  }

  private void route(HttpRouting.Builder rules, ServerOptions options, Served served) {
    Answers answers =
        new Answers(
            served.registry,
            served.counter,
            name -> isAvailable(served, name),
            new Answers.Rules(
                options.policy(), options.aliases(), TURN, options.maxBody(), options.maxWait()));
    rules
        .addFilter(this::filter)
        .error(Throwable.class, (request, response, thrown) -> fail(request, response, thrown))
        .register("/health", new HealthApi(served.registry, () -> ending))
        .register("/admin/caches", new CachesApi(served.registry, served.store))
        .register("/admin", admin)
        .register("/v1/models", new ModelsApi(served.registry))
        .register("/v1/chat/completions", new ChatCompletionsApi(answers))
        .register("/v1/completions", new CompletionsApi(answers))
        .register("/v1/messages", new MessagesApi(answers))
        .any(
            "/v1/embeddings",
            (request, response) -> {
              throw HttpFailure.unsupported("Computing embeddings");
            })
        .any(
            (request, response) -> {
              throw new HttpFailure(404, "not_found", "There is nothing here");
            });
  }

  private static boolean isAvailable(Served served, String name) {
    return served.available.get().stream().anyMatch(model -> name.equals(model.get("name")));
  }

  private void filter(FilterChain chain, RoutingRequest request, RoutingResponse response) {
    String path = request.path().path();
    try {
      gatekeeper.admit(request, path);
      gatekeeper.client(request).ifPresent(key -> request.context().register(new Caller(key)));
      if (ending && path.startsWith("/v1/")) {
        throw HttpFailure.busy("The server is stopping");
      }
    } catch (HttpFailure failure) {
      answer(response, path, failure);
      return;
    }
    chain.proceed();
  }

  private static void fail(ServerRequest request, ServerResponse response, Throwable thrown) {
    if (thrown instanceof CloseConnectionException gone) {
      throw gone; // nobody is there any more
    }
    if (response.isSent()) {
      throw new CloseConnectionException("It failed in the middle of an answer", thrown);
    }
    HttpFailure failure =
        thrown instanceof HttpException http && http.status().code() < 500
            ? new HttpFailure(http.status().code(), "invalid_request", words(http))
            : HttpFailure.of(thrown);
    if (failure.status() == 500) {
      LOG.warn("A request failed", thrown);
    }
    answer(response, request.path().absolute().path(), failure);
  }

  private static String words(Throwable thrown) {
    return thrown.getMessage() == null ? "The request is not valid" : thrown.getMessage();
  }

  private static void answer(ServerResponse response, String path, HttpFailure failure) {
    failure
        .retryAfter()
        .ifPresent(
            after ->
                response.header(
                    HeaderNames.RETRY_AFTER, Long.toString(Math.max(1, after.toSeconds()))));
    if (failure.status() == 401) {
      response.header(HeaderNames.WWW_AUTHENTICATE, "Bearer");
    }
    ErrorShape shape = ErrorShape.of(path);
    Json.send(response, failure.status(), shape.mediaType(), shape.body(failure));
  }

  /** What is wrong with a request before it is one. */
  private static void answerOutsideRouting(
      io.helidon.webserver.http.DirectHandlers.Builder handlers) {
    for (DirectHandler.EventType type : DirectHandler.EventType.values()) {
      handlers.addHandler(
          type,
          (request, event, status, headers, message) -> {
            HttpFailure failure =
                new HttpFailure(status.code(), "invalid_request", status.reasonPhrase());
            ErrorShape shape = ErrorShape.of(request.path());
            return DirectHandler.TransportResponse.builder()
                .status(status)
                .headers(headers)
                .header(HeaderNames.CONTENT_TYPE, shape.mediaType())
                .keepAlive(event.keepAlive())
                .entity(Json.write(shape.body(failure)))
                .build();
          });
    }
  }

  /**
   * Refuses what comes from now on, 503 to clients; what is being answered goes on. To be called
   * before the registry is closed, and {@link #close} after that.
   */
  public void refuse() {
    ending = true;
    admin.end();
  }

  /** Stops listening. What is still being answered has a moment to come to its end. */
  @Override
  public void close() {
    refuse();
    web.stop();
  }
}
