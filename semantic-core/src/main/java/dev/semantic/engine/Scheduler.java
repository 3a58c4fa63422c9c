package dev.semantic.engine;

import dev.semantic.engine.Lobby.Beginning;
import dev.semantic.timeline.Strand;
import dev.semantic.timeline.Timeline;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The thread that steps the model. Nothing that a request does may end it. */
final class Scheduler {
  private static final Logger LOG = LoggerFactory.getLogger(Scheduler.class);

  private final Lobby lobby;
  private final Admission admission;
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
        open = lobby.awaitWork(stepper::isBusy, this::hasSpareWork);
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
  }

  private void work() {
    switch (lobby.interruption()) {
      case FINISH -> {
        admit();
        step();
      }
      case PREEMPT -> lobby.suspend(stepper.suspendAll());
      case REJECT ->
          stepper.endAll(
              new RequestException(
                  "Ended before it was done, because the model is being changed; ask again",
                  lobby.retryAfter()));
    }
    lobby.countEnded();
    if (hasSpareWork()) {
      lobby.aside(() -> behind.ifPresent(WriteBehind::begin));
    }
  }

  private boolean hasSpareWork() {
    return stepper.size() == 0 && behind.filter(WriteBehind::isDue).isPresent();
  }

  private void admit() {
    for (Beginning next = lobby.begin(stepper::isBusy);
        next != null;
        next = lobby.begin(stepper::isBusy)) {
      Generation generation = generation(next);
      try {
        stepper.add(
            switch (next) {
              case Beginning.First(Ticket ticket) -> admission.begin(ticket, lobby.current());
              case Beginning.Again(Work work) -> admission.resume(work, lobby.current());
            });
      } catch (Throwable t) {
        LOG.debug("A request could not be begun", t);
        generation.fail(new RequestException(String.valueOf(t.getMessage()), t));
        lobby.countEnded();
      }
    }
  }

  private static Generation generation(Beginning next) {
    return switch (next) {
      case Beginning.First(Ticket ticket) -> ticket.generation();
      case Beginning.Again(Work work) -> work.ticket().generation();
    };
  }

  private void step() {
    if (stepper.size() > 0) {
      stepper.step(lobby.current().model());
    }
  }

  private void endAll(RequestException cause) {
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
