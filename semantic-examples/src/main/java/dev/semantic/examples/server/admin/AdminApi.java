package dev.semantic.examples.server.admin;

import dev.semantic.examples.server.http.EventStream;
import dev.semantic.examples.server.http.Fields;
import dev.semantic.examples.server.http.HttpFailure;
import dev.semantic.examples.server.http.Json;
import dev.semantic.generate.DrainPolicy;
import dev.semantic.model.ModelId;
import dev.semantic.registry.ModelPrefetch;
import dev.semantic.registry.ModelRegistry;
import dev.semantic.registry.SwapOptions;
import io.helidon.http.HeaderNames;
import io.helidon.webserver.http.HttpRules;
import io.helidon.webserver.http.HttpService;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.time.DateTimeException;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** What an admin asks of the models: which serves, and that another one does. */
public final class AdminApi implements HttpService {
  private static final long HEARTBEAT_MILLISECONDS = 5000;

  private final ModelRegistry registry;
  private final SwapEvents events;
  private final SwapJobs jobs;
  private final Supplier<List<Map<String, @Nullable Object>>> available;
  private final int maxBody;
  private final AtomicReference<@Nullable ModelPrefetch> prefetch = new AtomicReference<>();
  private volatile boolean ending;

  public AdminApi(
      ModelRegistry registry,
      SwapEvents events,
      Supplier<List<Map<String, @Nullable Object>>> available,
      int maxBody) {
    this.registry = registry;
    this.events = events;
    this.jobs = new SwapJobs(registry);
    this.available = available;
    this.maxBody = maxBody;
  }

  @Override
  public void routing(HttpRules rules) {
    rules
        .get("/models/current", this::current)
        .get("/models/available", this::available)
        .get("/models/status", this::status)
        .post("/models/swap", this::swap)
        .get("/models/swap/{job}", this::job)
        .post("/models/cancel", this::cancel)
        .post("/models/plan", this::plan)
        .post("/models/prepare", this::prepare)
        .get("/models/prepare", this::prepared)
        .get("/swaps", this::history)
        .get("/events", this::follow);
  }

  private void current(ServerRequest request, ServerResponse response) {
    Json.send(
        response,
        200,
        registry
            .current()
            .map(SwapAnswers::model)
            .orElseThrow(() -> new HttpFailure(404, "no_model", "No model serves")));
  }

  private void available(ServerRequest request, ServerResponse response) {
    Json.send(response, 200, Json.object("models", available.get()));
  }

  private void status(ServerRequest request, ServerResponse response) {
    Json.send(response, 200, SwapAnswers.status(registry.status()));
  }

  private void swap(ServerRequest request, ServerResponse response) {
    Fields body = Json.read(request, maxBody);
    ModelId model = SwapAnswers.id(body);
    boolean wait = body.flag("wait");
    SwapOptions.Builder options = SwapOptions.builder();
    body.text("drain").ifPresent(word -> options.drainPolicy(drain(word)));
    if (body.has("timeout")) {
      options.drainTimeout(time(body, "timeout"));
    }
    SwapJobs.Job job = jobs.begin(model, options.build());
    if (wait) {
      Json.send(response, 200, SwapAnswers.report(job.await()));
    } else {
      response.header(HeaderNames.LOCATION, "/admin/models/swap/" + job.id());
      Json.send(response, 202, job.fields());
    }
  }

  private static DrainPolicy drain(String word) {
    return Arrays.stream(DrainPolicy.values())
        .filter(policy -> policy.name().toLowerCase(Locale.ROOT).equals(word))
        .findFirst()
        .orElseThrow(() -> HttpFailure.invalid("drain must be finish, preempt or reject"));
  }

  /** Seconds, or as ISO 8601 has it: {@code PT30S}. */
  private static Duration time(Fields body, String name) {
    try {
      Duration time =
          body.all().get(name) instanceof String text
              ? Duration.parse(text)
              : Duration.ofMillis((long) (body.number(name).orElse(0) * 1000));
      if (!time.isNegative()) {
        return time;
      }
    } catch (DateTimeException e) {
      // told below
    }
    throw HttpFailure.invalid(name + " must be seconds, or a time such as PT30S");
  }

  private void job(ServerRequest request, ServerResponse response) {
    String id = request.path().pathParameters().get("job");
    Json.send(response, 200, jobs.find(id).fields());
  }

  private void cancel(ServerRequest request, ServerResponse response) {
    Json.send(response, 200, Json.object("cancelled", registry.cancelSwap()));
  }

  private void plan(ServerRequest request, ServerResponse response) {
    ModelId model = SwapAnswers.id(Json.read(request, maxBody));
    Json.send(response, 200, SwapAnswers.plan(registry.plan(model)));
  }

  /** Begins; another one that is being prepared is left alone. */
  private void prepare(ServerRequest request, ServerResponse response) {
    ModelId model = SwapAnswers.id(Json.read(request, maxBody));
    synchronized (prefetch) {
      ModelPrefetch before = prefetch.get();
      if (before != null && !before.isDone()) {
        throw new HttpFailure(409, "busy", before.model() + " is being prepared");
      }
      prefetch.set(registry.prepare(model));
    }
    response.header(HeaderNames.LOCATION, "/admin/models/prepare");
    Json.send(response, 202, preparing());
  }

  private void prepared(ServerRequest request, ServerResponse response) {
    Json.send(response, 200, preparing());
  }

  private Map<String, @Nullable Object> preparing() {
    ModelPrefetch now = prefetch.get();
    if (now == null) {
      throw new HttpFailure(404, "not_found", "Nothing was prepared");
    }
    Map<String, @Nullable Object> fields =
        Json.object(
            "model", now.model().name(),
            "status", "in_progress",
            "done_bytes", now.done().bytes(),
            "total_bytes", now.total().bytes());
    if (now.isDone()) {
      try {
        now.await();
        fields.put("status", "success");
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      } catch (RuntimeException e) {
        fields.put("status", "failed");
        fields.put("error", e.getMessage());
      }
    }
    return fields;
  }

  private void history(ServerRequest request, ServerResponse response) {
    Json.send(
        response,
        200,
        Json.object("swaps", registry.history().stream().map(SwapAnswers::report).toList()));
  }

  private void follow(ServerRequest request, ServerResponse response) throws InterruptedException {
    try (SwapEvents.Subscription subscription = events.subscribe();
        EventStream stream = EventStream.open(response)) {
      stream.send("status", SwapAnswers.status(registry.status()));
      long quiet = 0;
      while (!ending) {
        SwapEvents.Event event = subscription.next(250);
        quiet = event == null ? quiet + 250 : 0;
        if (event != null) {
          stream.send(event.name(), event.fields());
        } else if (quiet % HEARTBEAT_MILLISECONDS == 0) {
          stream.comment();
        }
      }
    }
  }

  /** Whoever follows is let go. */
  public void end() {
    ending = true;
    ModelPrefetch last = prefetch.get();
    if (last != null) {
      last.cancel();
    }
  }
}
