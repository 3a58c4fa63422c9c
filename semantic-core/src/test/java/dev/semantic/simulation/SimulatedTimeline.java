package dev.semantic.simulation;

import dev.semantic.timeline.Monitor;
import dev.semantic.timeline.ThreadHandle;
import dev.semantic.timeline.Timeline;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Threads that take turns. Exactly one runs; at every point where another could come in between,
 * the seed decides who is next. When nobody can run, time jumps to the next deadline; when there is
 * none either, that is a deadlock, and the test is told who waits where.
 */
final class SimulatedTimeline implements Timeline {
  private static final Instant START = Instant.parse("2026-01-01T00:00:00Z");
  private static final long STEP_NANOS = 1_000;

  private final SplittableRandom random;
  private final int switchPercent;
  private final List<Task> tasks = new ArrayList<>();
  private final Task root;
  private volatile Task holder; // who may run; everything else here is that one's
  private long now = 1;
  private @Nullable String deadlock;
  private @Nullable Throwable uncaught;

  /**
   * The calling thread becomes the first one of the simulation.
   *
   * @param switchPercent how often a point where one could switch is used
   */
  SimulatedTimeline(long seed, int switchPercent) {
    this.random = new SplittableRandom(seed);
    this.switchPercent = switchPercent;
    this.root = new Task("test", Thread.currentThread());
    this.holder = root;
    tasks.add(root);
  }

  /** What a thread is doing. */
  private enum State {
    RUNNABLE,
    BLOCKED,
    WAITING,
    DONE
  }

  /** A thread of the simulation. */
  private static final class Task {
    private final String name;
    private Thread thread;
    private State state = State.RUNNABLE;
    private @Nullable Object on; // what it is blocked or waits on
    private long deadline = Long.MAX_VALUE;
    private boolean interrupted; // to be seen when it runs again

    private Task(String name, Thread thread) {
      this.name = name;
      this.thread = thread;
    }

    @Override
    public String toString() {
      return name + " " + state + (on == null ? "" : " on " + on);
    }
  }

  @Override
  public long nanoTime() {
    return now;
  }

  @Override
  public Instant now() {
    return START.plusNanos(now);
  }

  @Override
  public Monitor monitor() {
    return new SimulatedMonitor();
  }

  @Override
  public ThreadHandle start(String name, Runnable body) {
    Task task = new Task(name, Thread.currentThread());
    task.thread =
        Thread.ofVirtual()
            .name(name)
            .unstarted(
                () -> {
                  awaitTurn(task);
                  seeInterrupt(task); // it may have come before the first line
                  try {
                    body.run();
                  } catch (Throwable t) { // no thread of the core may end like this
                    uncaught = t;
                  } finally {
                    end(task);
                  }
                });
    tasks.add(task);
    task.thread.start();
    maybeSwitch();
    return new SimulatedStrand(task);
  }

  /** One that somebody else could come in between. */
  void maybeSwitch() {
    if (random.nextInt(100) < switchPercent) {
      handOver(holder);
    }
  }

  /** Lets virtual time pass for this thread. */
  void pause(Duration time) {
    Task me = holder;
    me.state = State.WAITING;
    me.on = "a pause";
    me.deadline = now + time.toNanos();
    handOver(me);
    me.deadline = Long.MAX_VALUE;
    me.on = null;
  }

  int random(int bound) {
    return random.nextInt(bound);
  }

  /** Whether it is this one's turn. */
  @SuppressWarnings("ReferenceEquality") // that very thread
  boolean isRunning(Thread thread) {
    return holder.thread == thread;
  }

  /** Threads that have not ended, besides the test's own. */
  List<String> living() {
    return tasks.stream()
        .filter(task -> task != root && task.state != State.DONE)
        .map(Task::toString)
        .toList();
  }

  /** What a thread died of, if one did. */
  @Nullable Throwable uncaught() {
    return uncaught;
  }

  private void handOver(Task me) {
    now += STEP_NANOS;
    Task next = choose();
    if (next != me) {
      holder = next;
      LockSupport.unpark(next.thread);
      if (me.state != State.DONE) {
        awaitTurn(me);
      }
    }
    if (deadlock != null && me == root) {
      throw new AssertionError("Deadlock: " + deadlock);
    }
    seeInterrupt(me);
  }

  private static void seeInterrupt(Task me) {
    if (me.interrupted) {
      me.interrupted = false;
      Thread.currentThread().interrupt();
    }
  }

  private Task choose() {
    List<Task> runnable = new ArrayList<>();
    for (Task task : tasks) {
      if (task.state == State.RUNNABLE) {
        runnable.add(task);
      }
    }
    if (!runnable.isEmpty()) {
      return runnable.get(random.nextInt(runnable.size()));
    }
    Task first = null;
    for (Task task : tasks) {
      boolean timed = task.state == State.WAITING && task.deadline != Long.MAX_VALUE;
      if (timed && (first == null || task.deadline < first.deadline)) {
        first = task;
      }
    }
    if (first == null) {
      deadlock = tasks.stream().map(Task::toString).collect(Collectors.joining("; "));
      root.state = State.RUNNABLE;
      return root;
    }
    now = Math.max(now, first.deadline);
    first.state = State.RUNNABLE;
    return first;
  }

  private void awaitTurn(Task me) {
    while (holder != me) {
      LockSupport.park(this);
      if (Thread.interrupted()) {
        me.interrupted = true; // or the next park would not park
      }
    }
  }

  private void end(Task me) {
    me.state = State.DONE;
    wake(me);
    tasks.remove(me);
    handOver(me);
  }

  @SuppressWarnings("ReferenceEquality") // this very lock, that very thread
  private void wake(Object what) {
    for (Task task : tasks) {
      if (task.on == what && task.state != State.DONE) {
        task.state = State.RUNNABLE;
      }
    }
  }

  private final class SimulatedStrand implements ThreadHandle {
    private final Task task;

    private SimulatedStrand(Task task) {
      this.task = task;
    }

    @Override
    public void join() throws InterruptedException {
      Task me = holder;
      while (task.state != State.DONE) {
        if (Thread.interrupted()) {
          throw new InterruptedException();
        }
        me.state = State.WAITING;
        me.on = task;
        handOver(me);
        me.on = null;
      }
    }

    @Override
    public boolean isAlive() {
      return task.state != State.DONE;
    }

    @Override
    public void interrupt() {
      if (task.state != State.DONE) {
        task.interrupted = true;
        if (task.state == State.WAITING) {
          task.state = State.RUNNABLE;
        }
        if (task == holder) {
          seeInterrupt(task);
        }
        maybeSwitch();
      }
    }
  }

  private final class SimulatedMonitor implements Monitor {
    private final Object condition = "a condition of " + System.identityHashCode(this);
    private @Nullable Task owner;
    private int holds;

    @Override
    public void lock() {
      maybeSwitch();
      acquire();
    }

    private void acquire() {
      Task me = holder;
      while (owner != null && owner != me) {
        me.state = State.BLOCKED;
        me.on = this;
        handOver(me);
      }
      me.on = null;
      owner = me;
      holds++;
    }

    @Override
    public void unlock() {
      requireHeld();
      if (--holds == 0) {
        owner = null;
        wake(this);
        maybeSwitch();
      }
    }

    private void requireHeld() {
      if (owner != holder) {
        throw new IllegalMonitorStateException(holder + " does not hold it");
      }
    }

    @Override
    public void await() throws InterruptedException {
      awaitUntil(Long.MAX_VALUE);
    }

    @Override
    public long awaitNanos(long nanos) throws InterruptedException {
      long deadline = nanos > Long.MAX_VALUE - now ? Long.MAX_VALUE : now + Math.max(0, nanos);
      awaitUntil(deadline);
      return deadline == Long.MAX_VALUE ? nanos : deadline - now;
    }

    private void awaitUntil(long deadline) throws InterruptedException {
      requireHeld();
      if (Thread.interrupted()) {
        throw new InterruptedException();
      }
      Task me = holder;
      int held = holds;
      holds = 0;
      owner = null;
      wake(this);
      boolean spurious = random.nextInt(100) == 0;
      me.state = spurious ? State.RUNNABLE : State.WAITING;
      me.on = condition;
      me.deadline = deadline;
      handOver(me);
      me.deadline = Long.MAX_VALUE;
      me.on = null;
      acquire();
      holds = held;
      if (Thread.interrupted()) {
        throw new InterruptedException();
      }
    }

    @Override
    public void signalAll() {
      requireHeld();
      wake(condition);
    }
  }
}
