package dev.semantic.engine;

import dev.semantic.kv.AgentId;
import dev.semantic.model.ModelTag;
import dev.semantic.timeline.Nanos;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * Requests that were stopped between two tokens and wait for their model. Under the engine's lock.
 */
final class PreemptedRequests {
  private final List<Waiting> waiting = new ArrayList<>();

  private record Waiting(RunningRequest running, long deadline) {}

  void add(RunningRequest running, long deadline) {
    waiting.add(new Waiting(running, deadline));
  }

  /** All of them. */
  List<Request> all() {
    return waiting.stream().map(one -> one.running().ticket()).toList();
  }

  int size() {
    return waiting.size();
  }

  /** The first that these weights can go on with. */
  Optional<RunningRequest> first(ModelTag tag, Predicate<Request> mayGoOn) {
    return waiting.stream()
        .map(Waiting::running)
        .filter(running -> running.tag().equals(tag) && mayGoOn.test(running.ticket()))
        .findFirst();
  }

  boolean has(AgentId agent) {
    return waiting.stream()
        .anyMatch(
            one -> one.running().ticket().request().agent().filter(agent::equals).isPresent());
  }

  void remove(RunningRequest running) {
    waiting.removeIf(one -> one.running() == running);
  }

  /** A model serves: those who wait for another one wait no longer than until {@code latest}. */
  void hurry(ModelTag present, long now, long latest) {
    waiting.replaceAll(
        one ->
            one.running().tag().equals(present)
                    || Nanos.until(one.deadline(), now) <= Nanos.until(latest, now)
                ? one
                : new Waiting(one.running(), latest));
  }

  /** Ends what waited too long or was cancelled; returns the nanoseconds to the next deadline. */
  long expire(long now) {
    long nearest = Long.MAX_VALUE;
    for (Iterator<Waiting> each = waiting.iterator(); each.hasNext(); ) {
      Waiting one = each.next();
      Request queued = one.running().ticket();
      boolean over = queued.isOver(now) || queued.generation().isDone();
      long left = Nanos.until(one.deadline(), now);
      if (over || left <= 0) {
        one.running().endAway();
        each.remove(); // last: it is nowhere else
      } else {
        nearest = Math.min(nearest, Math.min(left, queued.untilLimit(now)));
      }
    }
    return nearest;
  }

  void endAll() {
    waiting.forEach(one -> one.running().endAway());
    waiting.clear();
  }
}
