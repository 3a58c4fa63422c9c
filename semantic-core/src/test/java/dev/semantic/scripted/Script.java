package dev.semantic.scripted;

import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** What is to go wrong, and where to wait. Thread-safe. */
public final class Script {
  private static final long PATIENCE_SECONDS = 20;

  private final Map<PortCall, Integer> counts = new EnumMap<>(PortCall.class);
  private final Map<PortCall, Hold> holds = new EnumMap<>(PortCall.class);
  private @Nullable Plan plan;
  private boolean fired;
  private int textsForgotten;
  private int matchers;
  private volatile Runnable matching = () -> {};
  private volatile Consumer<PortCall> visitor = call -> {};

  private record Plan(PortCall call, int nth, Fault fault, boolean forGood) {}

  /** Counts from now on; the {@code nth} call fails, 1 being the next. */
  public synchronized void fail(PortCall call, int nth, Fault fault) {
    arm(new Plan(call, nth, fault, false));
  }

  /** The {@code nth} call fails, and all after it. */
  public synchronized void failForGood(PortCall call, int nth, Fault fault) {
    arm(new Plan(call, nth, fault, true));
  }

  private void arm(Plan next) {
    counts.clear();
    fired = false;
    plan = next;
  }

  /** Nothing fails any more. */
  public synchronized void heal() {
    plan = null;
  }

  /** Whether what was to go wrong did. */
  public synchronized boolean fired() {
    return fired;
  }

  synchronized void textsForgotten() {
    textsForgotten++;
  }

  /** How often a tokenizer was told to forget what it remembers. */
  public synchronized int timesTextsWereForgotten() {
    return textsForgotten;
  }

  synchronized void matcherOpened() {
    matchers++;
  }

  synchronized void matcherClosed() {
    matchers--;
  }

  /** Constraints that are at work. */
  public synchronized int openMatchers() {
    return matchers;
  }

  /** Done whenever a matcher is to say what may come next, on the thread that asks. */
  public void onMatching(Runnable value) {
    matching = value;
  }

  void matching() {
    matching.run();
  }

  /** How often this was called since the last fault was planned. */
  public synchronized int count(PortCall call) {
    return counts.getOrDefault(call, 0);
  }

  /** Whoever makes the next such call waits there until released. */
  public Hold hold(PortCall call) {
    return hold(call, 0);
  }

  /** The same; so many calls pass before. */
  public synchronized Hold hold(PortCall call, int passing) {
    Hold hold = new Hold(passing);
    holds.put(call, hold);
    return hold;
  }

  /** Lets go whoever waits. */
  public synchronized void releaseAll() {
    holds.values().forEach(Hold::release);
    holds.clear();
  }

  /** Hears of every call first, on the thread that makes it; what it throws the call throws. */
  public void onVisit(Consumer<PortCall> value) {
    visitor = value;
  }

  void visit(PortCall call) {
    visitor.accept(call);
    Hold hold;
    Throwable failure = null;
    synchronized (this) {
      int count = counts.merge(call, 1, Integer::sum);
      hold = holds.get(call);
      if (hold != null && hold.passing-- > 0) {
        hold = null;
      }
      if (hold != null) {
        holds.remove(call);
      }
      Plan now = plan;
      if (now != null && now.call == call && (now.forGood ? count >= now.nth : count == now.nth)) {
        fired = true;
        failure = now.fault.of(call);
      } else if (now != null && now.fault == Fault.INTERRUPT && blocks(call) && interrupted()) {
        failure = now.fault.of(call);
      }
    }
    if (hold != null) {
      hold.visit();
    }
    if (failure != null) {
      throw Script.<RuntimeException>sneaky(failure);
    }
  }

  /** Calls that work on files, which an interrupted thread cannot. */
  private static boolean blocks(PortCall call) {
    return switch (call) {
      case PREPARE,
          LOAD,
          STORE_LOAD,
          STORE_PARK,
          STORE_PARKED,
          JOURNAL_BEGUN,
          JOURNAL_PHASE,
          JOURNAL_ENDED ->
          true;
      default -> false;
    };
  }

  private static boolean interrupted() {
    return Thread.currentThread().isInterrupted();
  }

  @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"})
  private static <T extends Throwable> T sneaky(Throwable failure) throws T {
    throw (T) failure;
  }

  /** A place where a thread waits. */
  public static final class Hold {
    private final CountDownLatch reached = new CountDownLatch(1);
    private final CountDownLatch released = new CountDownLatch(1);
    private int passing; // under the script's lock

    private Hold(int passing) {
      this.passing = passing;
    }

    /** Waits until somebody is there. */
    public void awaitReached() throws InterruptedException {
      if (!reached.await(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
        throw new AssertionError("Nobody came");
      }
    }

    public void release() {
      released.countDown();
    }

    private void visit() {
      reached.countDown();
      boolean interrupted = false;
      boolean let = false;
      long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
      while (!let && System.nanoTime() < end) {
        try {
          let = released.await(end - System.nanoTime(), TimeUnit.NANOSECONDS);
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
      if (!let) {
        throw new AssertionError("Nobody released the hold");
      }
    }
  }
}
