package dev.semantic.registry;

import dev.semantic.engine.BatchEngine;
import dev.semantic.engine.DrainOrder;
import dev.semantic.engine.EngineMode;
import dev.semantic.log.Log;
import dev.semantic.store.CacheStore;
import dev.semantic.store.PinnedAgents;
import dev.semantic.timeline.Latch;
import dev.semantic.timeline.ThreadFrame;
import dev.semantic.timeline.Timeline;
import java.time.Duration;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The end of a registry: requests end, agents are parked, the model leaves. Each part has its time;
 * what hangs is abandoned, not freed under its own feet, and said; what finds no memory is done
 * again. On a thread of its own, which nobody interrupts.
 */
final class Closing implements ThreadFrame.Rounds {
  private static final Log LOG = Log.of(Closing.class);

  /** How long requests may take to end once they are told to, before their next token. */
  private static final Duration LAST_TOKEN = Duration.ofSeconds(10);

  /** How long the store may take for one agent. */
  private static final Duration LAST_PARKING = Duration.ofSeconds(10);

  /** How long the runtime or the store may take for anything else. */
  private static final Duration PATIENCE = Duration.ofSeconds(30);

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
  private final CacheStore caches;
  private final PinnedAgents pinned;
  private final Residence residence;
  private final StepRunner stepRunner;
  private final Latch over;
  private Part next = Part.REQUESTS;
  private int tries;

  Closing(
      Timeline timeline,
      BatchEngine engine,
      CacheStore caches,
      PinnedAgents pinned,
      Residence residence) {
    this.timeline = timeline;
    this.engine = engine;
    this.caches = caches;
    this.pinned = pinned;
    this.residence = residence;
    this.stepRunner = new StepRunner(timeline, PATIENCE, new Cancellation());
    this.over = new Latch(timeline);
  }

  /** Does it, and comes back when it is done, or has come as far as it can. */
  void await() {
    try {
      ThreadFrame.rounds(timeline, "semantic-close", this);
    } catch (Throwable t) { // no more threads, say
      ThreadFrame.here(timeline, this);
    }
    over.await(PATIENCE.multipliedBy(10)); // far more than its parts take together
  }

  @Override
  public boolean round() throws Exception {
    switch (next) {
      case REQUESTS -> drain();
      case AGENTS -> park();
      case ENGINE -> engine.close();
      case STORE -> stepRunner.run("telling the store", () -> caches.removeUser(pinned));
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

  private void leave() {
    if (engine.isStill()) {
      residence.vacate(stepRunner);
    } else {
      residence.abandon();
    }
  }

  private void park() {
    if (engine.mode() == EngineMode.DRAINED) {
      park(cancelled -> engine.parkAgents(engine.permit(), cancelled));
    } else if (engine.unparkedAgents() > 0) { // nobody may use a model beside a step of it
      LOG.error("{} agents are not parked: the model does not stop", engine.unparkedAgents());
    }
  }

  private void drain() throws InterruptedException {
    engine.revive();
    if (engine.mode() == EngineMode.SERVING
        && engine.drain(DrainOrder.finish(SwapOptions.DEFAULTS.drainTimeout())) > 0) {
      engine.cancelRunning();
      engine.drain(DrainOrder.finish(LAST_TOKEN));
    }
  }

  /** Gives up once an agent takes too long. */
  private void park(Consumer<BooleanSupplier> parking) {
    LastParking last = new LastParking(parking);
    ThreadFrame.once(timeline, "semantic-close-park", last);
    last.await();
  }

  /** Parks as long as the store gets on. */
  private final class LastParking implements ThreadFrame.Work {
    private final Consumer<BooleanSupplier> parking;
    private final Latch done = new Latch(timeline);
    private volatile boolean givenUp;
    private volatile @Nullable Throwable failure;

    private LastParking(Consumer<BooleanSupplier> parking) {
      this.parking = parking;
    }

    @Override
    public void run() {
      parking.accept(() -> givenUp);
    }

    @Override
    public void ended(@Nullable Throwable thrown) {
      failure = thrown;
      done.open();
    }

    private void await() {
      int before;
      do {
        before = engine.unparkedAgents();
        if (done.await(LAST_PARKING)) {
          switch (failure) {
            case null -> {}
            case OutOfMemoryError none -> throw none; // for those who are left, again
            case Throwable t -> LOG.error("Not all agents could be parked before closing", t);
          }
          return;
        }
      } while (engine.unparkedAgents() < before);
      givenUp = true;
      LOG.error(
          "{} agents are not parked: the store has not come back for {}; it is left alone",
          engine.unparkedAgents(),
          LAST_PARKING);
    }
  }
}
