package dev.semantic.engine;

import dev.semantic.generate.RequestException;
import dev.semantic.kv.AgentId;
import dev.semantic.log.Log;
import dev.semantic.timeline.Latch;
import dev.semantic.timeline.ThreadFrame;
import dev.semantic.timeline.Timeline;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** The thread that steps the model. Nothing that a request does may end it. */
final class Scheduler implements ThreadFrame.Rounds {
  private static final Log LOG = Log.of(Scheduler.class);

  private final Lobby lobby;
  private final Admission admission;
  private final Arrivals arrivals;
  private final Stepper stepper;
  private final Optional<WriteBehind> behind;
  private final Homecoming homecoming;
  private final PromptTokenizer tokenizer;
  private final HotTier hot;
  private final Latch over;

  /** Begins at once. */
  Scheduler(
      Timeline timeline,
      Lobby lobby,
      Admission admission,
      Stepper stepper,
      Optional<WriteBehind> behind,
      Homecoming homecoming,
      Readers readers,
      PromptTokenizer tokenizer,
      HotTier hot) {
    this.lobby = lobby;
    this.admission = admission;
    this.arrivals = new Arrivals(timeline, readers, lobby::wake);
    this.stepper = stepper;
    this.behind = behind;
    this.homecoming = homecoming;
    this.tokenizer = tokenizer;
    this.hot = hot;
    this.over = new Latch(timeline);
    ThreadFrame.rounds(timeline, "semantic-engine", this);
  }

  @Override
  public boolean round() {
    // An interrupt is nobody's way to end it, and would close the files it reads.
    if (Thread.interrupted()) {
      LOG.debug("Somebody interrupted the scheduler, which ends by close() only");
    }
    try {
      if (!lobby.awaitWork(this::isBusy, this::isIdle, this::hasSpareWork)) {
        return false;
      }
    } catch (InterruptedException e) {
      LOG.debug("Somebody interrupted the scheduler, which ends by close() only", e);
      return true;
    }
    work();
    return true;
  }

  @Override
  public void failed(Throwable cause) {
    endAll(
        new RequestException(
            RequestException.Kind.FAILED, "The engine failed: " + Log.reason(cause), cause));
    LOG.error("A scheduling step failed; its requests are told, the engine goes on", cause);
  }

  @Override
  public void ended() {
    lobby.failUnlessClosed();
    endWhatIsLeft();
    homecoming.stop();
    over.open();
  }

  /** Once more by another thread, once this one is over: it may have had no memory for it. */
  void endWhatIsLeft() {
    boolean closed = lobby.mode() == EngineMode.CLOSED;
    endAll(
        closed
            ? new RequestException(RequestException.Kind.CLOSED, "The engine was closed")
            : new RequestException(
                RequestException.Kind.FAILED, "The engine failed for good, as the log says"));
  }

  private void work() {
    switch (lobby.interruption()) {
      case FINISH -> {
        tokenizer.startAll();
        admit();
        step();
      }
      case PREEMPT -> {
        List<Arrivals.Arrival> all = arrivals.takeAll();
        all.reversed().forEach(arrival -> lobby.takeBack(arrival.beginning())); // each to the front
        all.forEach(arrival -> hasArrived(arrival, false));
        lobby.suspend(stepper.suspendAll());
      }
      case REJECT -> {
        RequestException cause =
            new RequestException(
                RequestException.Kind.CANCELLED,
                "Ended before it was done, because the model is being changed; ask again",
                lobby.retryAfter());
        fail(arrivals.takeAll(), cause);
        stepper.endAll(cause);
      }
    }
    lobby.countEnded(this::holds);
    if (hot.hasForgotten()) {
      lobby.aside(hot::closeForgotten);
    }
    if (homecoming.isReady()) {
      lobby.aside(() -> homecoming.letIn(admission::welcome, hot::forget));
    } else if (isWriteBehindDue()) {
      lobby.aside(() -> behind.ifPresent(WriteBehind::begin));
    }
  }

  private boolean holds(Ticket ticket) {
    return stepper.holds(ticket) || arrivals.holds(ticket);
  }

  private boolean isBusy(AgentId agent) {
    return stepper.isBusy(agent) || arrivals.isBusy(agent);
  }

  private boolean isIdle() {
    return stepper.size() == 0 && arrivals.allAreBeingRead();
  }

  private boolean hasSpareWork() {
    return homecoming.isReady() || isWriteBehindDue() || hot.hasForgotten();
  }

  private boolean isWriteBehindDue() {
    boolean idle = isIdle();
    return behind.filter(parking -> parking.isDue(idle)).isPresent();
  }

  private void admit() {
    endOver(arrivals.takeOver());
    for (Arrivals.Ready ready : arrivals.takeReady()) {
      attempt(ready.arrival().beginning(), () -> begin(ready));
      hasArrived(ready.arrival(), false); // unless it has, with its cache
    }
    for (Beginning next = lobby.begin(this::isBusy);
        next != null;
        next = lobby.begin(this::isBusy)) {
      Beginning beginning = next;
      attempt(beginning, () -> begin(beginning));
    }
  }

  private void begin(Beginning beginning) {
    Arrivals.Arrival arrival = admission.arrive(beginning, lobby.current());
    if (admission.mustRead(arrival)) {
      arrival.agent().ifPresent(homecoming::comesAlone);
      arrivals.read(arrival, () -> admission.read(arrival));
    } else {
      add(admission.begin(arrival, Optional.empty()));
    }
  }

  private void begin(Arrivals.Ready ready) {
    Work work = admission.begin(ready.arrival(), ready.cache());
    add(work);
    hasArrived(ready.arrival(), work.computed() > 0);
  }

  private void add(Work work) {
    try {
      stepper.add(work);
    } catch (Throwable t) {
      Stepper.close(work.hot());
      throw t;
    }
  }

  private void hasArrived(Arrivals.Arrival arrival, boolean withCache) {
    arrival.agent().ifPresent(agent -> homecoming.cameAlone(agent, withCache));
  }

  private void attempt(Beginning beginning, Runnable task) {
    try {
      task.run();
    } catch (Throwable t) {
      beginning.ticket().generation().fail(RequestException.of(t));
      lobby.countEnded(this::holds);
      LOG.debug("A request could not be begun", t);
    }
  }

  private void endOver(List<Arrivals.Arrival> those) {
    for (Arrivals.Arrival arrival : those) {
      boolean cancelled = arrival.beginning().ticket().generation().isCancelled();
      end(
          List.of(arrival),
          cancelled
              ? new RequestException(
                  RequestException.Kind.CANCELLED, "Cancelled before it was begun")
              : new RequestException(
                  RequestException.Kind.TIME_LIMIT, "Out of time before it was begun"));
    }
  }

  /** Whoever was preempted and has an answer to give gives it. */
  private void end(List<Arrivals.Arrival> those, RequestException cause) {
    for (Arrivals.Arrival arrival : those) {
      switch (arrival.beginning()) {
        case Beginning.First(Ticket ticket) -> ticket.generation().fail(cause);
        case Beginning.Again(Work work) -> work.endAway();
      }
      hasArrived(arrival, false);
    }
  }

  private void fail(List<Arrivals.Arrival> those, RequestException cause) {
    those.forEach(arrival -> arrival.beginning().ticket().generation().fail(cause));
    those.forEach(arrival -> hasArrived(arrival, false));
  }

  private void step() {
    if (stepper.size() > 0) {
      stepper.step(lobby.current().model());
    }
  }

  private void endAll(RequestException cause) {
    end(arrivals.takeAll(), cause);
    stepper.failAll(cause);
    hot.closeLent(); // what was on its way from one to the other
    lobby.failRunning(cause);
    lobby.sendAway(cause);
  }

  /**
   * Waits until it has ended, after the lobby was closed; a step under way uses the model, so this
   * is not for an interrupt to shorten.
   *
   * @return false if it has not come back from the model or the store by then
   */
  boolean awaitEnd(Duration atMost) {
    return over.await(atMost);
  }
}
