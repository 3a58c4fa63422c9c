package dev.semantic.timeline;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * The outermost frame of every thread of the core, and the only way to start one. Nothing that is
 * thrown beneath it, an {@link OutOfMemoryError} or a {@link StackOverflowError} included, ends the
 * thread before those who wait for it are told: what it must do then is done again, after a pause,
 * until it passes. The frame itself allocates nothing once it runs, so that it outlives a heap that
 * is exhausted for a while.
 */
public final class ThreadFrame implements Runnable {
  /** A thread that does the same again and again. */
  public interface Rounds {
    /** One round; false if there is none after it. */
    boolean round() throws Throwable;

    /** Fails what a round that threw had in hand. Done again until it passes: must be able to. */
    void failed(Throwable cause);

    /**
     * Tells all who may still wait that there is no round any more; the last that is done. Comes
     * without {@link #round} having returned false, too, where {@link #failed} never passed. Done
     * again until it passes.
     */
    void ended();
  }

  /** A thread that does one thing. */
  public interface Work {
    void run() throws Throwable;

    /**
     * Tells all who may wait that it is over. Done again until it passes: must be able to.
     *
     * @param thrown what {@link #run} threw, if anything
     */
    void ended(@Nullable Throwable thrown);
  }

  private final Rounds rounds;
  private final MemoryRetry retry;

  private ThreadFrame(Timeline timeline, Rounds rounds) {
    this.rounds = rounds;
    this.retry = new MemoryRetry(timeline);
  }

  /** Starts a daemon thread that goes on until there is no more round. */
  public static ThreadHandle rounds(Timeline timeline, String name, Rounds rounds) {
    return timeline.start(name, new ThreadFrame(timeline, rounds));
  }

  /** Goes on until there is no more round, on the current thread: for want of another. */
  public static void here(Timeline timeline, Rounds rounds) {
    new ThreadFrame(timeline, rounds).run();
  }

  /** Starts a daemon thread that ends when its work has. */
  public static ThreadHandle once(Timeline timeline, String name, Work work) {
    return rounds(timeline, name, new Once(work));
  }

  /**
   * Does something on a thread of its own, but does not wait for it for ever.
   *
   * @return false if it has not come back by then; it is left alone
   * @throws RuntimeException or an Error: what it threw
   */
  public static boolean within(Timeline timeline, String name, Duration atMost, Runnable task) {
    Awaited awaited = new Awaited(task, new Latch(timeline));
    once(timeline, name, awaited);
    if (!awaited.done.await(atMost)) {
      return false;
    }
    Throwable thrown = awaited.thrown;
    if (thrown instanceof RuntimeException e) {
      throw e;
    }
    if (thrown instanceof Error e) {
      throw e;
    }
    if (thrown != null) {
      throw new IllegalStateException(thrown);
    }
    return true;
  }

  private static final class Awaited implements Work {
    private final Runnable task;
    private final Latch done;
    private @Nullable Throwable thrown; // once it is done

    private Awaited(Runnable task, Latch done) {
      this.task = task;
      this.done = done;
    }

    @Override
    public void run() {
      task.run();
    }

    @Override
    public void ended(@Nullable Throwable cause) {
      thrown = cause;
      done.open();
    }
  }

  @Override
  public void run() {
    int failures = 0; // in a row
    boolean open = true;
    while (open) {
      Throwable thrown = null;
      try {
        open = rounds.round();
        failures = 0;
      } catch (Throwable t) { // whatever it is
        thrown = t;
      }
      if (thrown != null) {
        if (failures++ > 0) {
          retry.rest(failures);
        }
        open = insist(thrown);
      }
    }
    insist(null);
  }

  /**
   * Tells of a failure, or of the end; false if that cannot be done.
   *
   * @param failure null for the end
   */
  private boolean insist(@Nullable Throwable failure) {
    boolean again = true;
    for (int tries = 0; again; tries++) {
      try {
        if (failure == null) {
          rounds.ended();
        } else {
          rounds.failed(failure);
        }
        return true;
      } catch (Throwable t) { // no memory for it, say: later, then
        again = retry.rest(tries); // whoever cannot be told in a minute never is
      }
    }
    return false;
  }

  /** One round, and what it threw kept for the end. */
  private static final class Once implements Rounds {
    private final Work work;
    private @Nullable Throwable thrown;

    private Once(Work work) {
      this.work = work;
    }

    @Override
    public boolean round() {
      try {
        work.run();
      } catch (Throwable t) { // for whoever waits
        thrown = t;
      }
      return false;
    }

    @Override
    public void failed(Throwable cause) {
      thrown = cause;
    }

    @Override
    public void ended() {
      work.ended(thrown);
    }
  }
}
