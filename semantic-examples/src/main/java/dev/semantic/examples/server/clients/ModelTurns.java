package dev.semantic.examples.server.clients;

import dev.semantic.examples.server.http.HttpFailure;
import dev.semantic.generate.Generation;
import dev.semantic.generate.GenerationResult;
import dev.semantic.model.ModelId;
import dev.semantic.model.ModelSpec;
import dev.semantic.registry.ModelRegistry;
import dev.semantic.registry.SwapOptions;
import dev.semantic.swap.SwapConflict;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import java.util.function.Predicate;

/**
 * Lets requests for several models take turns. While others wait a model serves for a moment at
 * least, so that what waits for it is answered together; then it takes no more, what it was given
 * comes to its end, and the one is swapped to that has been waited for longest. Any thread.
 */
final class ModelTurns {
  private static final SwapOptions BEHIND_AN_ADMIN =
      SwapOptions.builder().ifBusy(SwapConflict.WAIT).build();

  private final ModelRegistry registry;
  private final ModelPolicy policy;
  private final Predicate<String> known;
  private final Duration maxWait;
  private final Duration turn;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final Map<ModelId, Integer> waiting = new LinkedHashMap<>(); // longest first
  private final Map<ModelId, HttpFailure> failures = new LinkedHashMap<>();
  private boolean switching;
  private boolean closing; // the model that serves takes no more
  private int running;

  /**
   * Over a registry.
   *
   * @param known whether there is a model of that name
   * @param turn how long a model serves at least while others wait
   */
  ModelTurns(
      ModelRegistry registry,
      ModelPolicy policy,
      Predicate<String> known,
      Duration maxWait,
      Duration turn) {
    this.registry = registry;
    this.policy = policy;
    this.known = known;
    this.maxWait = maxWait;
    this.turn = turn;
  }

  /**
   * Begins what is to be done with a model, once that serves.
   *
   * @throws HttpFailure 404 if it does not serve and is not waited for, 503 if it has not come in
   *     time, or why it cannot serve
   */
  Generation begin(String name, Function<ModelSpec, Generation> work) {
    if (policy != ModelPolicy.AUTO) {
      return work.apply(awaited(name));
    }
    Generation generation;
    lock.lock(); // until it is begun: no swap comes between
    try {
      generation = work.apply(awaitTurn(name));
      running++;
    } finally {
      lock.unlock();
    }
    CompletableFuture<GenerationResult> _ =
        generation.toCompletableFuture().whenComplete((result, failure) -> end());
    return generation;
  }

  private ModelSpec awaited(String name) {
    lock.lock();
    try {
      return awaitTurn(name);
    } finally {
      lock.unlock();
    }
  }

  private void end() {
    lock.lock();
    try {
      running--;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  private ModelSpec awaitTurn(String name) {
    Optional<ModelSpec> serving = serving(name);
    if (serving.isPresent() && !closing) {
      return serving.get();
    }
    if (serving.isEmpty() && (policy == ModelPolicy.REFUSE || !known.test(name))) {
      throw registry.current().isEmpty() && known.test(name)
          ? HttpFailure.busy("No model serves; an admin has to load one")
          : ModelsApi.missing(registry, name);
    }
    ModelId model = new ModelId(name);
    waiting.merge(model, 1, Integer::sum);
    failures.remove(model);
    try {
      return awaitTurn(model);
    } finally {
      waiting.computeIfPresent(model, (id, count) -> count == 1 ? null : count - 1);
    }
  }

  private ModelSpec awaitTurn(ModelId model) {
    long end = System.nanoTime() + maxWait.toNanos();
    while (System.nanoTime() < end) {
      Optional<ModelSpec> serving = serving(model.name());
      if (serving.isPresent() && !closing) {
        return serving.get();
      }
      HttpFailure failure = failures.get(model);
      if (failure != null) {
        throw failure;
      }
      if (policy == ModelPolicy.AUTO && !switching) {
        switching = true;
        Thread.ofVirtual().name("semantic-serve-turns").start(this::takeTurns);
      }
      pause(Math.min(end - System.nanoTime(), TimeUnit.MILLISECONDS.toNanos(100)));
    }
    throw HttpFailure.busy("%s has not come in time; ask again".formatted(model));
  }

  /** An admin's swaps are seen a moment later, too. */
  @SuppressWarnings("WaitNotInLoop") // the loops are its callers'
  private void pause(long nanos) {
    try {
      changed.awaitNanos(nanos);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw HttpFailure.busy("The server is stopping");
    }
  }

  private Optional<ModelSpec> serving(String name) {
    return registry.current().filter(spec -> spec.id().name().equals(name));
  }

  private void takeTurns() {
    lock.lock();
    try {
      while (next().isPresent()) {
        long end = System.nanoTime() + turn.toNanos();
        while (registry.current().isPresent() && System.nanoTime() < end) {
          pause(end - System.nanoTime());
        }
        closing = true;
        long last = System.nanoTime() + maxWait.toNanos();
        while (running > 0 && System.nanoTime() < last) {
          pause(TimeUnit.SECONDS.toNanos(1));
        }
        next().ifPresent(this::swap);
        closing = false;
        changed.signalAll();
      }
    } finally {
      closing = false;
      switching = false;
      changed.signalAll();
      lock.unlock();
    }
  }

  /** The one that has been waited for longest. */
  private Optional<ModelId> next() {
    return waiting.keySet().stream()
        .filter(model -> serving(model.name()).isEmpty() && !failures.containsKey(model))
        .findFirst();
  }

  /** Whoever comes meanwhile waits for the lock no longer than it takes to say so. */
  private void swap(ModelId model) {
    lock.unlock();
    try {
      registry.swapWithRollback(model, BEHIND_AN_ADMIN);
    } catch (Exception e) {
      lock.lock();
      failures.put(model, HttpFailure.of(e.getCause() == null ? e : e.getCause()));
      return;
    }
    lock.lock();
  }
}
