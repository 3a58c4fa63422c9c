package dev.semantic.journal;

import dev.semantic.swap.SwapPhase;
import java.util.Optional;

/**
 * Remembers the swap that is under way, beyond the life of this process. What it cannot write it
 * logs: a journal is never a reason for a swap to fail.
 */
public interface SwapJournal extends AutoCloseable {
  /** Remembers nothing. */
  SwapJournal NONE =
      new SwapJournal() {
        @Override
        public Optional<InterruptedSwap> interrupted() {
          return Optional.empty();
        }

        @Override
        public void begun(SwapEntry entry) {}

        @Override
        public void phase(SwapPhase phase) {}

        @Override
        public void ended() {}

        @Override
        public void close() {}
      };

  /** The swap that was under way when the last process that wrote here ended; told once. */
  Optional<InterruptedSwap> interrupted();

  /** A swap begins. */
  void begun(SwapEntry entry);

  /** It enters a phase. */
  void phase(SwapPhase phase);

  /** It has ended, well or not: the registry knows what serves. */
  void ended();

  @Override
  void close();
}
