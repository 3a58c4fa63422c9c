package dev.semantic.engine;

import dev.semantic.generate.DrainPolicy;
import dev.semantic.generate.EngineMode;
import dev.semantic.generate.EngineOptions;
import dev.semantic.generate.Generation;
import dev.semantic.generate.GenerationRequest;
import dev.semantic.generate.RequestException;
import dev.semantic.kv.AgentId;
import dev.semantic.model.ModelId;
import dev.semantic.timeline.Monitor;
import dev.semantic.timeline.Nanos;
import dev.semantic.timeline.Timeline;
import java.time.Duration;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Where requests are between their arrival and their end, and what the engine is doing, which
 * decides who may begin. All that several threads share is here, under one monitor.
 */
final class EngineState {
  private final Timeline timeline;
  private final EngineOptions options;
  private final Monitor monitor;
  private final RequestQueue queue;
  private final Set<Request> running = new HashSet<>(); // left the queue, not ended
  private EngineMode mode = EngineMode.EMPTY;
  private @Nullable ServingModel serving;
  private @Nullable DrainOrder draining;
  private Duration returnWithin = Duration.ZERO;
  private SwapNotice notice = SwapNotice.NOTHING;
  private int tokenizing; // threads that make tokens of what waits for the serving model
  private long change; // the permit that is good
  private long lastUse; // when a request came or ended
  private boolean used; // a request ever came
  private volatile long steps; // of the model, that came back
  private boolean aside; // the scheduler uses a sequence, although nothing runs

  EngineState(Timeline timeline, EngineOptions options) {
    this.timeline = timeline;
    this.options = options;
    this.monitor = timeline.monitor();
    this.queue = new RequestQueue(options.queueLength());
    this.lastUse = timeline.nanoTime();
  }

  Generation submit(GenerationRequest request) {
    RequestOutput generation = new RequestOutput(timeline, this::wake);
    Request asked = Request.of(request, generation, timeline, options.maxQueueTime());
    monitor.lock();
    try {
      if (mode == EngineMode.CLOSED) {
        throw new RequestException(RequestException.Kind.CLOSED, "The engine is closed");
      }
      if (mode == EngineMode.FAILED) {
        throw new RequestException(
            RequestException.Kind.FAILED,
            "The engine has failed, as the log says; load a model or swap to one to go on");
      }
      if (mode != EngineMode.SERVING) {
        notice.admit();
      }
      queue.add(asked, timeline.nanoTime());
      lastUse = timeline.nanoTime();
      used = true;
      monitor.signalAll();
      return asked.generation();
    } finally {
      monitor.unlock();
    }
  }

  /** What becomes of requests from now on: those that come while none serves, and those by name. */
  void expect(SwapNotice next) {
    monitor.holding(
        () -> {
          notice = next;
          monitor.signalAll();
        });
  }

  int drain(DrainOrder order) throws InterruptedException {
    long left = Nanos.of(order.atMost());
    monitor.lock();
    try {
      if (mode != EngineMode.SERVING) {
        throw new IllegalStateException("An engine that is " + mode + " cannot be drained");
      }
      mode = EngineMode.DRAINING;
      draining = order;
      returnWithin = order.returnWithin();
      monitor.signalAll();
      try {
        while (inUse() > 0 && left > 0 && !order.cancelled().getAsBoolean()) {
          left = monitor.awaitNanos(left);
        }
      } finally {
        draining = null;
        if (mode == EngineMode.DRAINING) {
          mode = inUse() == 0 ? EngineMode.DRAINED : EngineMode.SERVING;
          monitor.signalAll();
        }
      }
      return inUse();
    } finally {
      monitor.unlock();
    }
  }

  private int inUse() {
    return running.size() + (aside ? 1 : 0);
  }

  /** Does something with idle agents; a drain waits for it. Nothing, unless a model serves. */
  void aside(Runnable task) {
    monitor.lock();
    try {
      if (mode != EngineMode.SERVING) {
        return;
      }
      aside = true;
    } finally {
      monitor.unlock();
    }
    try {
      task.run();
    } finally {
      monitor.lock();
      try {
        aside = false;
        monitor.signalAll();
      } finally {
        monitor.unlock();
      }
    }
  }

  /** What is to be done with everything that runs, before its next token; FINISH means nothing. */
  DrainPolicy interruption() {
    return monitor.holding(() -> draining == null ? DrainPolicy.FINISH : draining.policy());
  }

  Duration retryAfter() {
    return monitor.holding(() -> notice.retryAfter());
  }

  /** Takes back what was begun and has come to nothing yet; it is as if it had not been begun. */
  void takeBack(Request begun) {
    if (begun.wasBegun()) {
      suspend(List.of(begun));
      return;
    }
    monitor.lock();
    try {
      queue.putBack(begun); // first: it is nowhere else if that fails
      running.remove(begun);
      monitor.signalAll();
    } finally {
      monitor.unlock();
    }
  }

  /** Takes over what the scheduler has stopped; it waits until its model serves. */
  void suspend(List<Request> stopped) {
    long deadline = Nanos.after(timeline.nanoTime(), options.maxQueueTime());
    monitor.lock();
    try {
      for (Request each : stopped) {
        queue.preempt(each, deadline);
        running.remove(each);
      }
      monitor.signalAll();
    } finally {
      monitor.unlock();
    }
  }

  /** What a part of a change of the model must show; good until the next {@link #giveUp}. */
  long permit() {
    return monitor.holding(() -> change);
  }

  /**
   * Begins a part of a change of the model.
   *
   * @throws IllegalStateException if the engine is doing something else, or the permit is void
   */
  void enter(EngineMode required, long permit) {
    monitor.lock();
    try {
      requirePermit(permit);
      if (mode != required) {
        throw new IllegalStateException("The engine is " + mode + ", not " + required);
      }
    } finally {
      monitor.unlock();
    }
  }

  private void requirePermit(long permit) {
    if (givenUp(permit)) {
      throw new IllegalStateException("This change of the model was given up");
    }
  }

  /** Whether somebody else has taken the change of the model into his hands since. */
  boolean givenUp(long permit) {
    return monitor.holding(() -> change != permit || mode == EngineMode.CLOSED);
  }

  /** What only the holder of a good permit may take; empty, with nothing done, for any other. */
  <T> Optional<T> permitted(long permit, Supplier<Optional<T>> taking) {
    return monitor.holding(() -> givenUp(permit) ? Optional.<T>empty() : taking.get());
  }

  /** Makes all permits void: whoever holds one changes nothing any more. */
  void giveUp() {
    monitor.lock(); // no lambda: it must be possible without memory
    try {
      change++;
    } finally {
      monitor.unlock();
    }
  }

  /**
   * Ends what {@link #enter} began.
   *
   * @param publish done with the lock held, just before anybody can see the new mode
   * @throws IllegalStateException if it was given up in the meantime; nothing has changed then
   */
  @SuppressWarnings("ReferenceEquality") // another beginning of the same model is another one
  void become(long permit, EngineMode next, @Nullable ServingModel with, Runnable publish) {
    monitor.lock();
    try {
      requirePermit(permit);
      if (with != null) {
        // those whose model did not come back wait no longer than they were promised
        long now = timeline.nanoTime();
        queue.hurry(with.model().spec().tag(), now, Nanos.after(now, returnWithin));
      }
      publish.run();
      tokenizing = with == serving ? tokenizing : 0; // who works for another ends with that
      serving = with; // last, and without needing memory: it serves, or it does not
      mode = next;
      monitor.signalAll();
    } finally {
      monitor.unlock();
    }
  }

  /** Allocates nothing: it is asked when there was no memory. */
  @Nullable ServingModel serving() {
    monitor.lock();
    try {
      return serving;
    } finally {
      monitor.unlock();
    }
  }

  /** What requests are answered with; empty while none is. */
  Optional<ServingModel> answering() {
    monitor.lock();
    try {
      boolean answers = mode == EngineMode.SERVING || mode == EngineMode.DRAINING;
      return answers ? Optional.ofNullable(serving) : Optional.empty();
    } finally {
      monitor.unlock();
    }
  }

  ServingModel current() {
    return Objects.requireNonNull(serving(), "a request was begun without a model");
  }

  /** Allocates nothing: it is asked when there was no memory. */
  EngineMode mode() {
    monitor.lock();
    try {
      return mode;
    } finally {
      monitor.unlock();
    }
  }

  /**
   * Sleeps until there is something to do; false when there never will be.
   *
   * @param spare whether there is something for when nothing else is
   */
  boolean awaitWork(Predicate<AgentId> busy, BooleanSupplier idle, BooleanSupplier spare)
      throws InterruptedException {
    monitor.lock();
    try {
      while (mode != EngineMode.CLOSED) {
        long now = timeline.nanoTime();
        long nearest = Math.min(queue.expire(now), nearestLimit(now));
        boolean interrupted = interruption() != DrainPolicy.FINISH;
        if ((!running.isEmpty() && (interrupted || !idle.getAsBoolean()))
            || next(busy).isPresent()
            || untokenized().isPresent()
            || (mode == EngineMode.SERVING && spare.getAsBoolean())) {
          return true;
        }
        if (nearest == Long.MAX_VALUE) {
          monitor.await();
        } else {
          monitor.awaitNanos(nearest);
        }
      }
      return false;
    } finally {
      monitor.unlock();
    }
  }

  /** Nanoseconds until the first of those under way must have ended. */
  private long nearestLimit(long now) {
    return running.stream()
        .mapToLong(request -> request.untilLimit(now))
        .min()
        .orElse(Long.MAX_VALUE);
  }

  /** The first that may begin or go on. */
  private Optional<Request> next(Predicate<AgentId> busy) {
    ServingModel present = serving;
    if (mode != EngineMode.SERVING || present == null || running.size() >= options.maxRunning()) {
      return Optional.empty();
    }
    return queue.first(request -> isFree(request, busy) && mayBegin(request, present));
  }

  private boolean mayBegin(Request request, ServingModel present) {
    return request.status() == Request.Status.PREEMPTED
        ? request.isFor(present.model().spec().tag())
        : !notice.isFor(request, present.model().spec().id()) && request.isReadyFor(present);
  }

  /** The first of those whose prompts somebody should turn into tokens now. */
  private Optional<PromptTokens> untokenized() {
    ServingModel present = serving;
    if (mode != EngineMode.SERVING
        || present == null
        || tokenizing >= PromptTokenizer.MOST_AT_A_TIME) {
      return Optional.empty();
    }
    ModelId id = present.model().spec().id();
    return queue
        .first(request -> request.needsTokensOf(present) && !notice.isFor(request, id))
        .map(request -> new PromptTokens(request, present));
  }

  /** A prompt for one more thread to turn into tokens; null if none waits, or enough are at it. */
  @Nullable PromptTokens nextPrompt() {
    return monitor.holding(
        () -> {
          PromptTokens next = untokenized().orElse(null);
          if (next != null) {
            next.request().tokenizedBy(next);
            tokenizing++;
          }
          return next;
        });
  }

  /** Whether a prompt is to be made by this thread, which is interrupted when it no longer is. */
  boolean isWanted(PromptTokens prompt) {
    return monitor.holding(
        () -> {
          prompt.take();
          return !prompt.request().generation().isDone();
        });
  }

  /** A prompt has its tokens, or its refusal; they count if their model still serves. */
  @SuppressWarnings("ReferenceEquality") // another beginning of the same model is another one
  void tokenized(PromptTokens prompt) {
    monitor.lock();
    try {
      if (!prompt.isMade() && prompt.by() == serving) {
        tokenizing--;
      }
      prompt.publish();
      monitor.signalAll();
    } finally {
      monitor.unlock();
    }
  }

  private static boolean isFree(Request request, Predicate<AgentId> busy) {
    return request.agent().filter(busy).isEmpty();
  }

  /** Takes the next one out of the queue; null if none may begin. */
  @Nullable Request begin(Predicate<AgentId> busy) {
    monitor.lock();
    try {
      Request next = next(busy).orElse(null);
      if (next != null) {
        running.add(next); // first: it is nowhere if that fails later
        queue.begin(next, timeline.nanoTime());
      }
      return next;
    } finally {
      monitor.unlock();
    }
  }

  /** Ends all that were begun and have not ended, whoever may still be working on them. */
  void failRunning(RequestException cause) {
    monitor.lock();
    try {
      for (Request request : running) {
        request.generation().fail(cause);
      }
      running.clear();
      monitor.signalAll();
    } finally {
      monitor.unlock();
    }
  }

  /** Nobody steps the model any more, without the engine having been closed. Allocates nothing. */
  void failUnlessClosed() {
    monitor.lock();
    try {
      if (mode != EngineMode.CLOSED) {
        mode = EngineMode.FAILED;
        monitor.signalAll();
      }
    } finally {
      monitor.unlock();
    }
  }

  /** Somebody steps it again. */
  void revive() {
    monitor.lock();
    try {
      if (mode == EngineMode.FAILED) {
        aside = false;
        mode = serving == null ? EngineMode.EMPTY : EngineMode.SERVING;
        monitor.signalAll();
      }
    } finally {
      monitor.unlock();
    }
  }

  /** What ends those under way whose time is over, and tells when the next one is due. */
  interface Overdue {
    long end(Set<Request> running, long now);
  }

  /**
   * Ends what has no time left, whatever the scheduler does, and sleeps until more may be due.
   *
   * @return false when there never will be
   */
  @SuppressWarnings("WaitNotInLoop") // the loop is the watchdog's
  boolean watch(Overdue overdue) throws InterruptedException {
    monitor.lock();
    try {
      if (mode == EngineMode.CLOSED && running.isEmpty()) {
        return false;
      }
      long now = timeline.nanoTime();
      long nearest = Math.min(queue.expire(now), overdue.end(running, now));
      if (nearest == Long.MAX_VALUE) {
        monitor.await();
      } else {
        monitor.awaitNanos(nearest);
      }
      return true;
    } finally {
      monitor.unlock();
    }
  }

  /**
   * Tells whoever drains how many are left. One that was ended by somebody else than the scheduler
   * counts until the scheduler has let go of its sequence.
   *
   * @param held whether the scheduler still works on it
   */
  void countEnded(Predicate<Request> held) {
    monitor.lock();
    try {
      if (running.removeIf(request -> request.generation().isDone() && !held.test(request))) {
        lastUse = timeline.nanoTime();
        monitor.signalAll();
      }
    } finally {
      monitor.unlock();
    }
  }

  /** A step of the model has come back. On the scheduler's thread. */
  @SuppressWarnings("NonAtomicVolatileUpdate") // nobody else writes it
  void stepped() {
    steps++;
  }

  long steps() {
    return steps;
  }

  void cancelRunning() {
    monitor.holding(() -> running.forEach(request -> request.generation().cancel()));
  }

  /** Without those that have their answer and are only put away. */
  int running() {
    return monitor.holding(
        () -> (int) running.stream().filter(request -> !request.generation().isDone()).count());
  }

  int queued() {
    return monitor.holding(() -> queue.size());
  }

  /**
   * What is computed for this agent's requests that have been asked is kept for nobody.
   *
   * @param atOnce done while no other can be asked or begun
   */
  void forget(AgentId agent, Runnable atOnce) {
    monitor.holding(
        () -> {
          Stream.of(queue.all(), running)
              .flatMap(Collection::stream)
              .filter(request -> request.agent().filter(agent::equals).isPresent())
              .forEach(request -> request.generation().forget());
          atOnce.run();
          monitor.signalAll();
        });
  }

  void wake() {
    monitor.holding(() -> monitor.signalAll());
  }

  /** Nobody comes in any more. */
  void close() {
    monitor.lock();
    try {
      mode = EngineMode.CLOSED;
      monitor.signalAll();
    } finally {
      monitor.unlock();
    }
  }

  /** While no model serves: tells everybody that there is nothing to wait for. */
  void refuse(Supplier<RequestException> why) {
    monitor.lock();
    try {
      if (mode == EngineMode.EMPTY) {
        notice = SwapNotice.nobody(why);
        queue.failAll(why.get());
        monitor.signalAll();
      }
    } finally {
      monitor.unlock();
    }
  }

  /** There may be something to wait for again. */
  void admitAgain() {
    monitor.holding(() -> notice = notice.nobody() == null ? notice : SwapNotice.NOTHING);
  }

  /** Whether a request has come or ended within so many nanoseconds, or is under way. */
  boolean isUsedWithin(long nanos) {
    return monitor.holding(() -> used && idleNanos() < nanos);
  }

  /** Since the last request came or ended; zero while there are any. */
  long idleNanos() {
    return monitor.holding(
        () -> inUse() > 0 || queue.size() > 0 ? 0L : timeline.nanoTime() - lastUse);
  }

  /** Once closed, or failed: whoever still waits is told. */
  void sendAway(RequestException cause) {
    monitor.lock();
    try {
      if (mode == EngineMode.CLOSED || mode == EngineMode.FAILED) {
        queue.failAll(cause);
        queue.endPreempted(cause);
      }
    } finally {
      monitor.unlock();
    }
  }
}
