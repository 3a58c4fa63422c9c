package dev.semantic.engine;

import dev.semantic.engine.IdleSequences.IdleSequence;
import dev.semantic.generate.FinishReason;
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
final class ModelRunner {
  private static final Log LOG = Log.of(ModelRunner.class);

  private static final Comparator<Request> MOST_URGENT_FIRST =
      Comparator.comparingInt(Request::priority).reversed().thenComparingLong(Request::order);

  private final IdleSequences idle;
  private final KvCacheManager kvCache;
  private final PrefixSharing prefixSharing;
  private final List<Request> active = new ArrayList<>();

  ModelRunner(IdleSequences idle, KvCacheManager kvCache) {
    this.idle = idle;
    this.kvCache = kvCache;
    this.prefixSharing = new PrefixSharing(idle);
  }

  void add(Request running) {
    active.add(running);
  }

  int size() {
    return active.size();
  }

  /** Whether this very request has a sequence here. */
  boolean holds(Request request) {
    return active.stream().anyMatch(running -> running == request);
  }

  /** Whether a request of this agent is under way. */
  boolean isBusy(AgentId agent) {
    return active.stream().anyMatch(running -> running.agent().filter(agent::equals).isPresent());
  }

  /** Whether nothing can be done for anybody until what may come next is known. */
  boolean awaitsConstraints() {
    return active.stream().allMatch(Request::awaitsConstraint);
  }

  void step(LoadedModel model) {
    active.forEach(Request::endIfOver);
    List.copyOf(active).forEach(running -> advance(running, running::settle));
    endFinished();
    List<Request> waiting = prefixSharing.share(active, MOST_URGENT_FIRST);
    Set<Request> stalled = stalled(waiting);
    stalled.addAll(waiting);
    active.stream()
        .filter(running -> running.inPrefill() && !running.isDue() && !stalled.contains(running))
        .reduce((one, other) -> other.priority() > one.priority() ? other : one)
        .ifPresent(
            running -> {
              active.remove(running); // to the back: prompts of one priority take turns
              active.add(running);
              run(model, List.of(running), active.stream().anyMatch(Request::decodes));
            });
    List<Request> decoding =
        active.stream()
            .filter(running -> running.decodes() && !running.isDue() && !stalled.contains(running))
            .toList();
    if (!decoding.isEmpty()) {
      run(model, decoding, false);
    }
    endFinished();
  }

  private void run(LoadedModel model, List<Request> works, boolean othersWait) {
    List<float[]> logits;
    try {
      logits = model.forward(works.stream().map(running -> running.next(othersWait)).toList());
    } catch (Throwable t) { // whatever it is, it must not end the scheduler
      works.forEach(running -> fail(running, "The model failed: " + Log.reason(t), t));
      LOG.warn("A step of {} requests failed", works.size(), t);
      return;
    }
    if (logits.size() != works.size()) { // whose is missing, nobody knows
      String why = "The model gave %d answers to %d".formatted(logits.size(), works.size());
      works.forEach(running -> fail(running, why, null));
      return;
    }
    for (int i = 0; i < works.size(); i++) {
      Request running = works.get(i);
      float[] its = logits.get(i);
      advance(running, () -> running.advance(its));
    }
  }

  private void advance(Request running, Runnable step) {
    try {
      step.run();
    } catch (RequestException e) {
      fail(running, e);
      LOG.warn("A request to {} ends: {}", running.answer().tag(), e.getMessage());
    } catch (Throwable t) { // costs this request, not those beside it
      fail(running, "The answer could not be put together: " + Log.reason(t), t);
      LOG.warn("A token could not be turned into text", t);
    }
  }

  /**
   * Books room for everybody's next chunk, the most urgent first.
   *
   * @param waiting don't need any yet
   * @return those for whom there is none yet: they wait until others have ended
   */
  private Set<Request> stalled(List<Request> waiting) {
    Set<Request> stalled = new HashSet<>();
    for (Request running : active.stream().sorted(MOST_URGENT_FIRST).toList()) {
      try {
        if (active.contains(running) && !waiting.contains(running) && !hasRoom(running)) {
          stalled.add(running);
        }
      } catch (Throwable t) {
        fail(running, "Making room in the KV pool failed: " + Log.reason(t), t);
      }
    }
    return stalled;
  }

  /**
   * Whoever is less urgent, or came later, gives way and starts over, those who are pinned last,
   * and only for the first of all, who always gets on.
   */
  private boolean hasRoom(Request running) {
    while (!kvCache.makeRoom(running.sequence().lease(), running.answer().length())) {
      if (!kvCache.couldHold(running.answer().length())) {
        refuse(running);
        return false;
      }
      boolean first =
          active.stream().allMatch(other -> MOST_URGENT_FIRST.compare(other, running) >= 0);
      Optional<Request> last =
          active.stream()
              .filter(other -> MOST_URGENT_FIRST.compare(other, running) > 0)
              .filter(other -> other.sequence().lease().blocks() > 0)
              .filter(other -> first || !isPinned(other))
              .max(
                  Comparator.comparing(this::isPinned).reversed().thenComparing(MOST_URGENT_FIRST));
      if (last.isPresent()) {
        startOver(last.get());
      } else if (first && running.sequence().lease().sharedTokens() > 0) {
        startOver(running); // a part of what it shares may be nobody's any more, and still be there
      } else if (first && kvCache.dropLoading()) { // its reader may have to let go of it yet
        return kvCache.makeRoom(running.sequence().lease(), running.answer().length());
      } else if (first) {
        refuse(running);
      }
      if ((last.isEmpty() && !first) || !active.contains(running)) {
        return false;
      }
    }
    return true;
  }

  private boolean isPinned(Request running) {
    return running.agent().filter(idle::isPinned).isPresent();
  }

  private void startOver(Request running) {
    LOG.info("Out of KV blocks: a request of {} tokens starts over", running.answer().length());
    close(running.sequence());
    try {
      running.startOver(kvCache.fresh(running.serving()));
      running.agent().ifPresent(agent -> idle.markInUse(agent, running.sequence()));
    } catch (Throwable t) {
      fail(running, "The answer could not be started over: " + Log.reason(t), t);
    }
  }

  private void endFinished() {
    for (Request running : List.copyOf(active)) {
      if (running.answer().reason() != null) {
        end(running);
      }
    }
  }

  private void end(Request running) {
    GenerationResult result;
    try {
      result = running.result();
    } catch (Throwable t) {
      fail(running, "The answer could not be put together: " + Log.reason(t), t);
      return;
    }
    keep(running);
    RequestOutput output = running.generation();
    if (result.reason() == FinishReason.TIME_LIMIT && !output.isBegun()) {
      output.fail(
          new RequestException(
              RequestException.Kind.TIME_LIMIT, "Not begun: there was no room for it in time"));
    } else {
      output.finish(result);
    }
  }

  /** What was computed so far is whole, so the agent keeps it. */
  private void refuse(Request running) {
    keep(running);
    running
        .generation()
        .fail(
            new RequestException(
                RequestException.Kind.NO_ROOM,
                "No room for %d tokens in the KV pool, and no idle agent to park%s; raise the pool or ask for less"
                    .formatted(running.answer().length(), pinned())));
  }

  private String pinned() {
    int pinned = idle.pinnedIdle();
    return pinned == 0 ? "" : " (pinned: %d)".formatted(pinned);
  }

  private void keep(Request running) {
    Optional<AgentId> agent = running.agent();
    active.remove(running); // what follows allocates nothing, or closes the sequence
    running.release();
    if (agent.isEmpty()) {
      close(running.sequence());
      return;
    }
    keep(agent.get(), running.sequence());
    if (running.generation().isForgotten()) {
      idle.forget(agent.get());
    }
  }

  private void keep(AgentId agent, IdleSequence sequence) {
    try {
      sequence.settle();
      idle.put(agent, sequence);
    } catch (Throwable t) { // costs a prefill, no more
      close(sequence);
      LOG.warn("The sequence of {} could not be kept", agent, t);
    }
  }

  private void fail(Request running, String why, @Nullable Throwable cause) {
    fail(running, new RequestException(RequestException.Kind.FAILED, why, cause));
  }

  /** The sequence may be anything after a failure: the agent goes on from what it last parked. */
  private void fail(Request running, RequestException cause) {
    active.remove(running);
    running.release();
    close(running.sequence());
    running.generation().fail(cause);
  }

  /**
   * Stops everything between two tokens; agents keep their sequences, others' are computed anew.
   */
  List<Request> suspendAll() {
    endFinished();
    List<Request> all = List.copyOf(active);
    for (Request running : all) {
      keep(running);
      running.suspend();
    }
    return all.stream().toList();
  }

  /** Ends everything between two tokens; agents keep what was computed. */
  void endAll(RequestException cause) {
    endFinished();
    for (Request running : List.copyOf(active)) {
      keep(running);
      running.generation().fail(cause);
    }
  }

  static void close(IdleSequence sequence) {
    try {
      sequence.close();
    } catch (Throwable t) {
      LOG.warn("A sequence could not be closed", t);
    }
  }

  void failAll(RequestException cause) {
    for (Request running : List.copyOf(active)) {
      fail(running, cause);
    }
  }
}
