package dev.semantic.examples.server.admin;

import dev.semantic.examples.server.http.HttpFailure;
import dev.semantic.examples.server.http.Json;
import dev.semantic.model.ModelException;
import dev.semantic.model.ModelId;
import dev.semantic.registry.ModelRegistry;
import dev.semantic.registry.ModelSwap;
import dev.semantic.registry.SwapOptions;
import dev.semantic.swap.ModelSwapException;
import dev.semantic.swap.SwapReport;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Swaps that go on while nobody waits for them, and what became of the last of them. Any thread.
 */
final class SwapJobs {
  private static final int REMEMBERED = 100;

  private final ModelRegistry registry;
  private final Map<String, Job> jobs = new LinkedHashMap<>();
  private @Nullable Job running;

  SwapJobs(ModelRegistry registry) {
    this.registry = registry;
  }

  /** A swap, under way or not any more. */
  record Job(String id, ModelSwap swap) {
    Map<String, @Nullable Object> fields() {
      Map<String, @Nullable Object> fields =
          Json.object("job", id, "model", swap.target().name(), "status", status(), "report", null);
      if (swap.isDone()) {
        try {
          fields.put("report", SwapAnswers.report(await()));
        } catch (HttpFailure failure) {
          fields.put("error", failure.getMessage());
          fields.putAll(failure.more());
        }
      }
      return fields;
    }

    private String status() {
      if (!swap.isDone()) {
        return "in_progress";
      }
      return swap.toCompletableFuture().isCompletedExceptionally() ? "failed" : "success";
    }

    /**
     * Waits for its end.
     *
     * @throws HttpFailure if the model does not serve then
     */
    SwapReport await() {
      try {
        return swap.await();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw HttpFailure.busy("The server ends");
      } catch (ModelSwapException | RuntimeException e) {
        throw failure(e);
      }
    }
  }

  /**
   * Begins a swap.
   *
   * @throws HttpFailure 409 if one is under way
   */
  synchronized Job begin(ModelId model, SwapOptions options) {
    if (running != null && !running.swap.isDone()) {
      throw new HttpFailure(
          409,
          "busy",
          "A swap to %s is under way: %s".formatted(running.swap.target(), running.id));
    }
    Job job = new Job(UUID.randomUUID().toString(), swap(model, options));
    running = job;
    jobs.put(job.id, job);
    if (jobs.size() > REMEMBERED) {
      jobs.remove(jobs.keySet().iterator().next());
    }
    return job;
  }

  private ModelSwap swap(ModelId model, SwapOptions options) {
    try {
      return registry.swapAsync(model, options);
    } catch (IllegalStateException e) {
      throw failure(e);
    }
  }

  /**
   * One of the last.
   *
   * @throws HttpFailure 404 if there is none
   */
  synchronized Job find(String id) {
    Job job = jobs.get(id);
    if (job == null) {
      throw new HttpFailure(404, "not_found", "There is no such swap, or it is long ago");
    }
    return job;
  }

  private static HttpFailure failure(Throwable thrown) {
    if (thrown instanceof IllegalStateException busy) {
      return new HttpFailure(409, "busy", String.valueOf(busy.getMessage()));
    }
    if (!(thrown instanceof ModelSwapException swap)) {
      return HttpFailure.of(thrown);
    }
    int status =
        switch (swap.report().outcome()) {
          case CANCELLED -> 409;
          case REFUSED ->
              swap.getCause() instanceof ModelException cause
                  ? HttpFailure.of(cause).status()
                  : 409;
          default -> 500;
        };
    String code = "swap_" + SwapAnswers.lower(swap.report().outcome());
    return new HttpFailure(status, code, String.valueOf(swap.getMessage()))
        .with(Json.object("report", SwapAnswers.report(swap.report())));
  }
}
