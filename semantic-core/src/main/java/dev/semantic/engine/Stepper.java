package dev.semantic.engine;

import dev.semantic.engine.HotTier.Hot;
import dev.semantic.generate.GenerationResult;
import dev.semantic.generate.RequestException;
import dev.semantic.kv.AgentId;
import dev.semantic.log.Log;
import dev.semantic.spi.LoadedModel;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Steps the model for everything that has been begun: one chunk of one prompt, so that a long
 * prompt holds nobody up for long, then one token for all others together. On the scheduler's
 * thread.
 */
final class Stepper {
  private static final Log LOG = Log.of(Stepper.class);

  private static final Comparator<Work> MOST_URGENT_FIRST =
      Comparator.comparingInt(Work::priority).reversed().thenComparingLong(Work::order);

  private final HotTier hot;
  private final Admission admission;
  private final Prefixes prefixes;
  private final List<Work> active = new ArrayList<>();

  Stepper(HotTier hot, Admission admission) {
    this.hot = hot;
    this.admission = admission;
    this.prefixes = new Prefixes(hot);
  }

  void add(Work work) {
    active.add(work);
  }

  int size() {
    return active.size();
  }

  /** Whether this very request has a sequence here. */
  boolean holds(Ticket ticket) {
    return active.stream().anyMatch(work -> work.ticket().equals(ticket));
  }

  /** Whether a request of this agent is under way. */
  boolean isBusy(AgentId agent) {
    return active.stream()
        .anyMatch(work -> work.ticket().request().agent().filter(agent::equals).isPresent());
  }

  void step(LoadedModel model) {
    active.forEach(Work::endIfOver);
    endFinished();
    List<Work> waiting = prefixes.share(active, MOST_URGENT_FIRST);
    Set<Work> stalled = stalled(waiting);
    stalled.addAll(waiting);
    active.stream()
        .filter(work -> work.inPrefill() && !stalled.contains(work))
        .reduce((one, other) -> other.priority() > one.priority() ? other : one)
        .ifPresent(
            work -> {
              active.remove(work); // to the back: prompts of one priority take turns
              active.add(work);
              run(model, List.of(work), active.stream().anyMatch(this::decodes));
            });
    List<Work> decoding =
        active.stream().filter(work -> decodes(work) && !stalled.contains(work)).toList();
    if (!decoding.isEmpty()) {
      run(model, decoding, false);
    }
    endFinished();
  }

  private boolean decodes(Work work) {
    return !work.inPrefill() && work.reason() == null;
  }

  private void run(LoadedModel model, List<Work> works, boolean othersWait) {
    List<float[]> logits;
    try {
      logits = model.forward(works.stream().map(work -> work.next(othersWait)).toList());
    } catch (Throwable t) { // whatever it is, it must not end the scheduler
      works.forEach(work -> fail(work, "The model failed: " + Log.reason(t), t));
      LOG.warn("A step of {} requests failed", works.size(), t);
      return;
    }
    if (logits.size() != works.size()) { // whose is missing, nobody knows
      String why = "The model gave %d answers to %d".formatted(logits.size(), works.size());
      works.forEach(work -> fail(work, why, null));
      return;
    }
    for (int i = 0; i < works.size(); i++) {
      advance(works.get(i), logits.get(i));
    }
  }

  private void advance(Work work, float[] logits) {
    try {
      work.advance(logits);
    } catch (RequestException e) {
      fail(work, e);
      LOG.warn("A request to {} ends: {}", work.tag(), e.getMessage());
    } catch (Throwable t) { // costs this request, not those beside it
      fail(work, "The answer could not be put together: " + Log.reason(t), t);
      LOG.warn("A token could not be turned into text", t);
    }
  }

  /**
   * Books room for everybody's next chunk, the most urgent first.
   *
   * @param waiting don't need any yet
   * @return those for whom there is none yet: they wait until others have ended
   */
  private Set<Work> stalled(List<Work> waiting) {
    Set<Work> stalled = new HashSet<>();
    for (Work work : active.stream().sorted(MOST_URGENT_FIRST).toList()) {
      try {
        if (active.contains(work) && !waiting.contains(work) && !hasRoom(work)) {
          stalled.add(work);
        }
      } catch (Throwable t) {
        fail(work, "Making room in the KV pool failed: " + Log.reason(t), t);
      }
    }
    return stalled;
  }

  /**
   * Whoever is less urgent, or came later, gives way and starts over, those who are pinned last,
   * and only for the first of all, who always gets on.
   */
  private boolean hasRoom(Work work) {
    while (!admission.makeRoom(work.hot().lease(), work.lengthAhead())) {
      if (!admission.couldHold(work.lengthAhead())) {
        refuse(work);
        return false;
      }
      boolean first =
          active.stream().allMatch(other -> MOST_URGENT_FIRST.compare(other, work) >= 0);
      Optional<Work> last =
          active.stream()
              .filter(other -> MOST_URGENT_FIRST.compare(other, work) > 0)
              .filter(other -> other.hot().lease().blocks() > 0)
              .filter(other -> first || !isPinned(other))
              .max(
                  Comparator.comparing(this::isPinned).reversed().thenComparing(MOST_URGENT_FIRST));
      if (last.isPresent()) {
        startOver(last.get());
      } else if (first && work.hot().lease().sharedTokens() > 0) {
        startOver(work); // a part of what it shares may be nobody's any more, and still be there
      } else if (first) {
        refuse(work);
      }
      if ((last.isEmpty() && !first) || !active.contains(work)) {
        return false;
      }
    }
    return true;
  }

  private boolean isPinned(Work work) {
    return work.ticket().request().agent().filter(hot::isPinned).isPresent();
  }

  private void startOver(Work work) {
    LOG.info("Out of KV blocks: a request of {} tokens starts over", work.lengthAhead());
    close(work.hot());
    try {
      work.startOver(admission.fresh(work.serving()));
    } catch (Throwable t) {
      fail(work, "The answer could not be started over: " + Log.reason(t), t);
    }
  }

  private void endFinished() {
    for (Work work : List.copyOf(active)) {
      if (work.reason() != null) {
        end(work);
      }
    }
  }

  private void end(Work work) {
    GenerationResult result;
    try {
      result = work.result();
    } catch (Throwable t) {
      fail(work, "The answer could not be put together: " + Log.reason(t), t);
      return;
    }
    keep(work);
    work.ticket().generation().finish(result);
  }

  /** What was computed so far is whole, so the agent keeps it. */
  private void refuse(Work work) {
    keep(work);
    work.ticket()
        .generation()
        .fail(
            new RequestException(
                RequestException.Kind.NO_ROOM,
                "No room for %d tokens in the KV pool, and no idle agent to park%s; raise the pool or ask for less"
                    .formatted(work.lengthAhead(), pinned())));
  }

  private String pinned() {
    int pinned = hot.pinnedIdle();
    return pinned == 0 ? "" : " (pinned: %d)".formatted(pinned);
  }

  private void keep(Work work) {
    active.remove(work);
    work.ticket()
        .request()
        .agent()
        .ifPresentOrElse(
            agent -> {
              keep(agent, work.hot());
              if (work.ticket().generation().isForgotten()) {
                hot.forget(agent);
              }
            },
            () -> close(work.hot()));
  }

  private void keep(AgentId agent, Hot sequence) {
    try {
      sequence.settle();
      hot.put(agent, sequence);
    } catch (Throwable t) { // costs a prefill, no more
      close(sequence);
      LOG.warn("The sequence of {} could not be kept", agent, t);
    }
  }

  private void fail(Work work, String why, @Nullable Throwable cause) {
    fail(work, new RequestException(RequestException.Kind.FAILED, why, cause));
  }

  /** The sequence may be anything after a failure: the agent goes on from what it last parked. */
  private void fail(Work work, RequestException cause) {
    active.remove(work);
    close(work.hot());
    work.ticket().generation().fail(cause);
  }

  /**
   * Stops everything between two tokens; agents keep their sequences, others' are computed anew.
   */
  List<Work> suspendAll() {
    endFinished();
    List<Work> all = List.copyOf(active);
    for (Work work : all) {
      keep(work);
      work.suspend();
    }
    return all;
  }

  /** Ends everything between two tokens; agents keep what was computed. */
  void endAll(RequestException cause) {
    endFinished();
    for (Work work : List.copyOf(active)) {
      keep(work);
      work.ticket().generation().fail(cause);
    }
  }

  static void close(Hot sequence) {
    try {
      sequence.close();
    } catch (Throwable t) {
      LOG.warn("A sequence could not be closed", t);
    }
  }

  void failAll(RequestException cause) {
    List.copyOf(active).forEach(work -> fail(work, cause));
  }
}
