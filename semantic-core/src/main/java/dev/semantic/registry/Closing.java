package dev.semantic.registry;

import dev.semantic.engine.BatchEngine;
import dev.semantic.engine.DrainOrder;
import dev.semantic.generate.DrainPolicy;
import dev.semantic.generate.EngineMode;
import dev.semantic.log.Log;
import dev.semantic.store.PinnedAgents;
import dev.semantic.timeline.Latch;
import dev.semantic.timeline.ThreadFrame;
import dev.semantic.timeline.Timeline;
import java.time.Duration;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The end of a registry: requests end, agents are parked, the model leaves. Each part has its time;
 * what hangs is abandoned, not freed under its own feet, and said; what finds no memory is done
 * again. On a thread of its own, which nobody interrupts.
 */
final class Closing implements ThreadFrame.Rounds {
  private static final Log LOG = Log.of(Closing.class);

  /** How long the runtime or the store may take for one thing: a step, an agent, an unload. */
  private static final Duration PATIENCE = Duration.ofSeconds(10);

  /** How long the requests under way may take for the rest of their answers. */
  private static final Duration LAST_ANSWERS = Duration.ofSeconds(30);

  /** Far more than the parts take together. */
  private static final Duration LONGEST = Duration.ofMinutes(5);

  /** As long as it takes to notice that one is not wanted any more. */
  private static final Duration A_MOMENT = Duration.ofSeconds(1);

  private static final int MOST_TRIES = 100; // some seconds without memory

  /** One after the other, each in a round of its own. */
  private enum Part {
    REQUESTS,
    AGENTS,
    ENGINE,
    STORE,
    MODEL,
    NONE
  }

  private final Timeline timeline;
  private final BatchEngine engine;
  private final SwapExecutor.Tools tools;
  private final PinnedAgents pinned;
  private final StepRunner stepRunner;
  private final Latch over;
  private Part next = Part.REQUESTS;
  private int tries;

  Closing(SwapExecutor.Tools tools, PinnedAgents pinned) {
    this.timeline = tools.timeline();
    this.engine = tools.engine();
    this.tools = tools;
    this.pinned = pinned;
    this.stepRunner = new StepRunner(timeline, PATIENCE, new Permit());
    this.over = new Latch(timeline);
  }

  /** Does it, and comes back when it is done, or has come as far as it can. */
  void await() {
    try {
      ThreadFrame.rounds(timeline, "semantic-close", this);
    } catch (Throwable t) { // no more threads, say
      ThreadFrame.here(timeline, this);
    }
    over.await(LONGEST);
  }

  @Override
  public boolean round() throws Exception {
    switch (next) {
      case REQUESTS -> drain();
      case AGENTS -> park();
      case ENGINE -> engine.close();
      case STORE -> stepRunner.run("telling the store", () -> tools.caches().removeUser(pinned));
      case MODEL -> leave();
      case NONE -> {}
    }
    return goOn();
  }

  private boolean goOn() {
    tries = 0;
    next =
        switch (next) {
          case REQUESTS -> Part.AGENTS;
          case AGENTS -> Part.ENGINE;
          case ENGINE -> Part.STORE;
          case STORE -> Part.MODEL;
          case MODEL, NONE -> Part.NONE;
        };
    return next != Part.NONE;
  }

  /** Whatever it is, the rest is done; what there was no memory for, again. */
  @Override
  public void failed(Throwable cause) {
    boolean again = cause instanceof OutOfMemoryError && tries++ < MOST_TRIES;
    if (!again) {
      Part failed = next;
      goOn();
      LOG.warn("The registry could not be closed whole: {} failed", failed, cause);
    }
  }

  @Override
  public void ended() {
    over.open();
  }

  /** What does not come back is not taken from under its feet. */
  private void leave() {
    ManagedModel model = tools.serving().get().model();
    boolean still = engine.isStill();
    if (model != null && still) {
      model.letGo(stepRunner);
    }
    tools.serving().set(tools.serving().get().vacated());
    if (still) {
      giveMemoryBack();
    } else if (model != null) {
      LOG.error(
          "{} stays in memory: a call of it or of the store has not come back", model.spec().id());
    }
  }

  private void giveMemoryBack() {
    try {
      stepRunner.run("giving memory back", () -> tools.runtime().memory().releaseCached());
    } catch (Throwable t) {
      LOG.warn("Memory could not be given back", t);
    }
  }

  private void park() {
    if (engine.mode() == EngineMode.DRAINED) {
      WhileItGetsOn parking =
          new WhileItGetsOn(unwanted -> engine.parkAgents(engine.permit(), unwanted));
      if (!parking.await("semantic-close-park", engine::unparkedAgents)) {
        LOG.error(
            "{} agents are not parked: the store has not come back for {}; it is left alone",
            engine.unparkedAgents(),
            PATIENCE);
      }
      Throwable failure = parking.failure;
      if (failure instanceof OutOfMemoryError none) {
        throw none; // for those who are left, again
      }
      if (failure != null) {
        LOG.error("Not all agents could be parked before closing", failure);
      }
    } else if (engine.unparkedAgents() > 0) { // nobody may use a model beside a step of it
      LOG.error("{} agents are not parked: the model does not stop", engine.unparkedAgents());
    }
  }

  private void drain() throws InterruptedException {
    engine.revive();
    if (engine.mode() != EngineMode.SERVING) {
      return;
    }
    WhileItGetsOn answering = new WhileItGetsOn(this::drain);
    boolean getsOn = answering.await("semantic-close-drain", engine::steps);
    if (engine.mode() == EngineMode.SERVING) {
      engine.cancelRunning();
      if (getsOn) {
        engine.drain(DrainOrder.finish(PATIENCE));
      }
    }
    StepRunner.rethrow(answering.failure);
  }

  private void drain(BooleanSupplier unwanted) throws InterruptedException {
    engine.drain(new DrainOrder(DrainPolicy.FINISH, LAST_ANSWERS, Duration.ZERO, unwanted));
  }

  /** Does something on a thread of its own, for as long as it gets on. */
  private final class WhileItGetsOn implements ThreadFrame.Work {
    private final Step step;
    private final Latch done = new Latch(timeline);
    private volatile boolean givenUp;
    private volatile @Nullable Throwable failure;

    /** What is told when nobody waits for it any more. */
    private interface Step {
      void run(BooleanSupplier unwanted) throws InterruptedException;
    }

    private WhileItGetsOn(Step step) {
      this.step = step;
    }

    @Override
    public void run() throws InterruptedException {
      step.run(() -> givenUp);
    }

    @Override
    public void ended(@Nullable Throwable thrown) {
      failure = thrown;
      done.open();
    }

    /**
     * Waits for its end.
     *
     * @param measure changes whenever it gets on
     * @return false if it did not for too long, and was given up
     */
    private boolean await(String name, LongSupplier measure) {
      ThreadFrame.once(timeline, name, this);
      long before;
      do {
        before = measure.getAsLong();
        if (done.await(PATIENCE)) {
          return true;
        }
      } while (measure.getAsLong() != before);
      givenUp = true;
      engine.wake();
      done.await(A_MOMENT);
      return false;
    }
  }
}
