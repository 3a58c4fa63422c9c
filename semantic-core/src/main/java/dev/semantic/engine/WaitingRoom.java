package dev.semantic.engine;

import dev.semantic.cache.AgentId;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.Iterator;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;

/** The queue of requests that have not been begun. Under its owner's lock. */
final class WaitingRoom {
  private final Deque<Ticket> waiting = new ArrayDeque<>();
  private final int bound;

  WaitingRoom(int bound) {
    this.bound = bound;
  }

  void add(Ticket ticket) {
    if (waiting.size() >= bound) {
      throw new RequestException(
          "%d requests are waiting already, which is the bound; try again in a while"
              .formatted(waiting.size()));
    }
    waiting.add(ticket);
  }

  /** In front of everybody, whatever the bound: it was let in once. */
  void putBack(Ticket ticket) {
    waiting.addFirst(ticket);
  }

  int size() {
    return waiting.size();
  }

  /** The most urgent that may be begun, and of those the first; no agent overtakes itself. */
  Optional<Ticket> first(Predicate<Ticket> mayBegin) {
    Set<AgentId> seen = new HashSet<>();
    return waiting.stream()
        .filter(mayBegin)
        .filter(ticket -> ticket.request().agent().map(seen::add).orElse(true))
        .reduce((one, later) -> later.priority() > one.priority() ? later : one);
  }

  void remove(Ticket ticket) {
    waiting.remove(ticket);
  }

  /** Ends what waited too long or was cancelled; returns the nanoseconds to the next deadline. */
  long expire(long now) {
    long nearest = Long.MAX_VALUE;
    for (Iterator<Ticket> tickets = waiting.iterator(); tickets.hasNext(); ) {
      Ticket ticket = tickets.next();
      if (ticket.expired(now) || ticket.generation().isCancelled()) {
        tickets.remove();
        long waited = TimeUnit.NANOSECONDS.toMillis(now - ticket.submitted());
        String why = ticket.generation().isCancelled() ? "cancelled after" : "waited";
        ticket
            .generation()
            .fail(new RequestException("Not begun: %s %d ms in the queue".formatted(why, waited)));
      } else if (ticket.deadline() != Long.MAX_VALUE) {
        nearest = Math.min(nearest, ticket.deadline() - now);
      }
    }
    return nearest;
  }

  void failAll(RequestException cause) {
    waiting.forEach(ticket -> ticket.generation().fail(cause));
    waiting.clear();
  }
}
