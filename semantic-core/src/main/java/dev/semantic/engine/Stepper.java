package dev.semantic.engine;

import dev.semantic.cache.AgentId;
import dev.semantic.engine.HotTier.Hot;
import dev.semantic.spi.LoadedModel;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Steps the model for everything that has been begun: one chunk of one prompt, so that a long
 * prompt holds nobody up for long, then one token for all others together. On the scheduler's
 * thread.
 */
final class Stepper {
  private static final Logger LOG = LoggerFactory.getLogger(Stepper.class);

  private final HotTier hot;
  private final Admission admission;
  private final List<Work> active = new ArrayList<>();

  Stepper(HotTier hot, Admission admission) {
    this.hot = hot;
    this.admission = admission;
  }

  void add(Work work) {
    active.add(work);
  }

  int size() {
    return active.size();
  }

  /** Whether a request of this agent is under way. */
  boolean isBusy(AgentId agent) {
    return active.stream()
        .anyMatch(work -> work.ticket().request().agent().filter(agent::equals).isPresent());
  }

  void step(LoadedModel model) {
    active.stream().filter(work -> work.ticket().generation().isCancelled()).forEach(Work::cancel);
    endFinished();
    refuseWithoutRoom();
    active.stream()
        .filter(Work::inPrefill)
        .findFirst()
        .ifPresent(
            work -> {
              active.remove(work); // to the back: prompts take turns
              active.add(work);
              run(model, List.of(work));
            });
    List<Work> decoding = active.stream().filter(this::decodes).toList();
    if (!decoding.isEmpty()) {
      run(model, decoding);
    }
    endFinished();
  }

  private boolean decodes(Work work) {
    return !work.inPrefill() && work.reason() == null;
  }

  private void run(LoadedModel model, List<Work> works) {
    try {
      List<float[]> logits = model.forward(works.stream().map(Work::next).toList());
      for (int i = 0; i < works.size(); i++) {
        works.get(i).advance(logits.get(i));
      }
    } catch (RuntimeException | Error e) {
      LOG.warn("A step of {} requests failed", works.size(), e);
      works.forEach(work -> fail(work, "The model failed: " + e.getMessage(), e));
    }
  }

  private void refuseWithoutRoom() {
    for (Work work : List.copyOf(active)) {
      try {
        if (!admission.makeRoom(work.hot().lease(), work.lengthAfterNext())) {
          String why =
              "No room for %d tokens in the KV pool, and no idle agent to park; raise the pool or ask for less"
                  .formatted(work.lengthAfterNext());
          fail(work, why, new IllegalStateException("KV pool exhausted"));
        }
      } catch (RuntimeException | Error e) {
        fail(work, "Making room in the KV pool failed: " + e.getMessage(), e);
      }
    }
  }

  private void endFinished() {
    for (Work work : List.copyOf(active)) {
      if (work.reason() != null) {
        active.remove(work);
        GenerationResult result = work.result();
        work.ticket()
            .request()
            .agent()
            .ifPresentOrElse(agent -> hot.put(agent, work.hot()), () -> close(work.hot()));
        work.ticket().generation().finish(result);
      }
    }
  }

  /** The sequence may be anything after a failure: the agent goes on from what it last parked. */
  private void fail(Work work, String why, Throwable cause) {
    active.remove(work);
    close(work.hot());
    work.ticket().generation().fail(new RequestException(why, cause));
  }

  private static void close(Hot sequence) {
    try {
      sequence.close();
    } catch (RuntimeException | Error e) {
      LOG.warn("A sequence could not be closed", e);
    }
  }

  void failAll(RequestException cause) {
    for (Work work : List.copyOf(active)) {
      active.remove(work);
      close(work.hot());
      work.ticket().generation().fail(cause);
    }
  }
}
