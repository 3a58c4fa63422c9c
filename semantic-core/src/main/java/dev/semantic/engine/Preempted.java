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
 * Requests that were stopped between two tokens and wait for their model. Under the lobby's lock.
 */
final class Preempted {
  private final List<Waiting> waiting = new ArrayList<>();

  private record Waiting(Work work, long deadline) {}

  void add(Work work, long deadline) {
    waiting.add(new Waiting(work, deadline));
  }

  /** All of them. */
  List<Ticket> all() {
    return waiting.stream().map(one -> one.work().ticket()).toList();
  }

  int size() {
    return waiting.size();
  }

  /** The first that these weights can go on with. */
  Optional<Work> first(ModelTag tag, Predicate<Ticket> mayGoOn) {
    return waiting.stream()
        .map(Waiting::work)
        .filter(work -> work.tag().equals(tag) && mayGoOn.test(work.ticket()))
        .findFirst();
  }

  boolean has(AgentId agent) {
    return waiting.stream()
        .anyMatch(one -> one.work().ticket().request().agent().filter(agent::equals).isPresent());
  }

  void remove(Work work) {
    waiting.removeIf(one -> one.work() == work);
  }

  /** A model serves: those who wait for another one wait no longer than until {@code latest}. */
  void hurry(ModelTag present, long now, long latest) {
    waiting.replaceAll(
        one ->
            one.work().tag().equals(present)
                    || Nanos.until(one.deadline(), now) <= Nanos.until(latest, now)
                ? one
                : new Waiting(one.work(), latest));
  }

  /** Ends what waited too long or was cancelled; returns the nanoseconds to the next deadline. */
  long expire(long now) {
    long nearest = Long.MAX_VALUE;
    for (Iterator<Waiting> each = waiting.iterator(); each.hasNext(); ) {
      Waiting one = each.next();
      Ticket ticket = one.work().ticket();
      boolean over = ticket.isOver(now) || ticket.generation().isDone();
      long left = Nanos.until(one.deadline(), now);
      if (over || left <= 0) {
        one.work().endAway();
        each.remove(); // last: it is nowhere else
      } else {
        nearest = Math.min(nearest, Math.min(left, ticket.untilLimit(now)));
      }
    }
    return nearest;
  }

  void endAll() {
    waiting.forEach(one -> one.work().endAway());
    waiting.clear();
  }
}
