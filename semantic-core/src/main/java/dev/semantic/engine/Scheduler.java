package dev.semantic.engine;

import dev.semantic.cache.AgentId;
import dev.semantic.engine.Lobby.Beginning;
import dev.semantic.timeline.Strand;
import dev.semantic.timeline.Timeline;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The thread that steps the model. Nothing that a request does may end it. */
final class Scheduler {
  private static final Logger LOG = LoggerFactory.getLogger(Scheduler.class);

  private final Lobby lobby;
  private final Admission admission;
  private final Arrivals arrivals;
  private final Stepper stepper;
  private final Optional<WriteBehind> behind;
  private final Strand strand;

  /** Begins at once. */
  Scheduler(
      Timeline timeline,
      Lobby lobby,
      Admission admission,
      Stepper stepper,
      Optional<WriteBehind> behind) {
    this.lobby = lobby;
    this.admission = admission;
    this.arrivals = new Arrivals(timeline, lobby::wake);
    this.stepper = stepper;
    this.behind = behind;
    this.strand = timeline.start("semantic-engine", this::run);
  }

  private void run() {
    boolean open = true;
    while (open) {
      try {
        // An interrupt is nobody's way to end it, and would close the files it reads.
        if (Thread.interrupted()) {
          LOG.debug("Somebody interrupted the scheduler, which ends by close() only");
        }
        open = lobby.awaitWork(this::isBusy, this::isIdle, this::hasSpareWork);
        if (open) {
          work();
        }
      } catch (InterruptedException e) {
        LOG.debug("Somebody interrupted the scheduler, which ends by close() only", e);
      } catch (Throwable t) { // other languages throw checked ones, too
        LOG.error("A scheduling step failed; its requests are told, the engine goes on", t);
        endAll(new RequestException("The engine failed: " + t, t));
      }
    }
    endAll(new RequestException("The engine was closed"));
    arrivals.close();
  }

  private void work() {
    switch (lobby.interruption()) {
      case FINISH -> {
        admit();
        step();
      }
      case PREEMPT -> {
        arrivals.takeAll().forEach(arrival -> lobby.takeBack(arrival.beginning()));
        lobby.suspend(stepper.suspendAll());
      }
      case REJECT -> {
        RequestException cause =
            new RequestException(
                "Ended before it was done, because the model is being changed; ask again",
                lobby.retryAfter());
        fail(arrivals.takeAll(), cause);
        stepper.endAll(cause);
      }
    }
    lobby.countEnded();
    if (hasSpareWork()) {
      lobby.aside(() -> behind.ifPresent(WriteBehind::begin));
    }
  }

  private boolean isBusy(AgentId agent) {
    return stepper.isBusy(agent) || arrivals.isBusy(agent);
  }

  private boolean isIdle() {
    return stepper.size() == 0 && arrivals.allAreBeingRead();
  }

  private boolean hasSpareWork() {
    return isIdle() && behind.filter(WriteBehind::isDue).isPresent();
  }

  private void admit() {
    fail(arrivals.takeCancelled(), new RequestException("Cancelled before it was begun"));
    for (Arrivals.Ready ready : arrivals.takeReady()) {
      attempt(
          ready.arrival().beginning(),
          () -> stepper.add(admission.begin(ready.arrival(), ready.cache())));
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
      arrivals.read(arrival, () -> admission.read(arrival));
    } else {
      stepper.add(admission.begin(arrival, Optional.empty()));
    }
  }

  private void attempt(Beginning beginning, Runnable task) {
    try {
      task.run();
    } catch (Throwable t) {
      LOG.debug("A request could not be begun", t);
      beginning.ticket().generation().fail(new RequestException(String.valueOf(t.getMessage()), t));
      lobby.countEnded();
    }
  }

  private static void fail(List<Arrivals.Arrival> arrivals, RequestException cause) {
    arrivals.forEach(arrival -> arrival.beginning().ticket().generation().fail(cause));
  }

  private void step() {
    if (stepper.size() > 0) {
      stepper.step(lobby.current().model());
    }
  }

  private void endAll(RequestException cause) {
    fail(arrivals.takeAll(), cause);
    stepper.failAll(cause);
    lobby.countEnded();
    lobby.sendAway(cause);
  }

  /**
   * Waits until it has ended, after the lobby was closed; a step under way uses the model, so this
   * is not for an interrupt to shorten.
   */
  void awaitEnd() {
    boolean interrupted = false;
    while (strand.isAlive()) {
      try {
        strand.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
