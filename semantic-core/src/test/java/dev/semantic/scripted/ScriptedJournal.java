package dev.semantic.scripted;

import dev.semantic.journal.InterruptedSwap;
import dev.semantic.journal.SwapEntry;
import dev.semantic.journal.SwapJournal;
import dev.semantic.swap.SwapPhase;
import java.util.Optional;

/** A journal that fails as it is told to. */
public final class ScriptedJournal implements SwapJournal {
  private final Script script;

  public ScriptedJournal(Script script) {
    this.script = script;
  }

  @Override
  public Optional<InterruptedSwap> interrupted() {
    return Optional.empty();
  }

  @Override
  public void begun(SwapEntry entry) {
    script.visit(PortCall.JOURNAL_BEGUN);
  }

  @Override
  public void phase(SwapPhase phase) {
    script.visit(PortCall.JOURNAL_PHASE);
  }

  @Override
  public void ended() {
    script.visit(PortCall.JOURNAL_ENDED);
  }

  @Override
  public void close() {}
}
