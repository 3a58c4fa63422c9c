package dev.semantic.engine;

/** What the scheduler begins, or goes on with. */
sealed interface Beginning {
  Request request();

  /** A request that comes from the queue. */
  record First(Request request) implements Beginning {}

  /** One that was preempted, and whose model is back. */
  record Again(RunningRequest running) implements Beginning {
    @Override
    public Request request() {
      return running.ticket();
    }
  }
}
