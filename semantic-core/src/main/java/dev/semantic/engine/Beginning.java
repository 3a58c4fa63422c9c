package dev.semantic.engine;

/** What the scheduler begins, or goes on with. */
sealed interface Beginning {
  Ticket ticket();

  /** A request that comes from the queue. */
  record First(Ticket ticket) implements Beginning {}

  /** One that was preempted, and whose model is back. */
  record Again(Work work) implements Beginning {
    @Override
    public Ticket ticket() {
      return work.ticket();
    }
  }
}
