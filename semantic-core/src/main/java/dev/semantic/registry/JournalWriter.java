package dev.semantic.registry;

import dev.semantic.journal.SwapEntry;
import dev.semantic.journal.SwapJournal;
import dev.semantic.log.Log;
import dev.semantic.swap.PhaseTimeoutException;
import dev.semantic.swap.SwapPhase;

/**
 * What one swap writes into the journal. Whatever a journal does, the swap goes on: one that fails
 * is logged, and one that hangs is asked no more by this swap.
 */
final class JournalWriter {
  private static final Log LOG = Log.of(JournalWriter.class);

  private final SwapJournal journal;
  private final StepRunner stepRunner;
  private boolean hangs;

  JournalWriter(SwapJournal journal, StepRunner stepRunner) {
    this.journal = journal;
    this.stepRunner = stepRunner;
  }

  void begun(SwapEntry entry) {
    write(() -> journal.begun(entry));
  }

  void phase(SwapPhase phase) {
    write(() -> journal.phase(phase));
  }

  void ended() {
    write(journal::ended);
  }

  private void write(Runnable line) {
    if (hangs) {
      return;
    }
    try {
      stepRunner.run("writing the journal", line);
    } catch (PhaseTimeoutException e) {
      hangs = true;
      LOG.error("The swap journal hangs; the swap goes on without", e);
    } catch (Throwable t) {
      LOG.error("The swap journal failed; the swap goes on without this line", t);
    }
  }
}
