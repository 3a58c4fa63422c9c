package dev.semantic.mlx.template;

import java.time.Duration;

/**
 * What reading or rendering one template may cost: a template comes with a model file, and nobody
 * has read it. Work is counted in units of about a nanosecond, memory in bytes as they are
 * allocated, and the clock and the thread's interrupt are looked at between any two pieces of work.
 * {@code docs/chat-templates.md} says what everything in a template is charged.
 */
final class Budget {
  static final ScopedValue<Budget> CURRENT = ScopedValue.newInstance();

  static final long MOST_WORK = 1_600_000_000;
  static final long MOST_BYTES = 64L << 20;
  static final Duration LONGEST = Duration.ofSeconds(10);

  private static final int DEEPEST = 200;
  private static final int STEP = 32;

  /** What a host gave may be gone through and copied a number of times. */
  private static final int WORK_FOR_A_CHARACTER = 256;

  private static final int BYTES_FOR_A_CHARACTER = 24;
  private static final long BETWEEN_LOOKS_AT_THE_CLOCK = 1 << 19;

  private static final int TEXT = 40;
  private static final int LIST = 64;
  private static final int SLOT = 8;

  private final long mostWork;
  private final long mostBytes;
  private final long longestNanos;
  private final long begun = System.nanoTime();
  private long work;
  private long nextLook = BETWEEN_LOOKS_AT_THE_CLOCK;
  private long bytes;
  private int depth;

  /**
   * @param given characters of what the template is given, or of the template itself
   */
  Budget(long given) {
    this(given, LONGEST);
  }

  Budget(long given, Duration longest) {
    this.mostWork = MOST_WORK + WORK_FOR_A_CHARACTER * given;
    this.mostBytes = MOST_BYTES + BYTES_FOR_A_CHARACTER * given;
    this.longestNanos = longest.toNanos();
  }

  void step() {
    take(STEP);
  }

  private void take(long units) {
    work += units;
    if (work > mostWork || units < 0) {
      throw new TemplateException(
          "The template takes more than %d steps".formatted(mostWork / STEP));
    }
    if (work >= nextLook) {
      nextLook = work + BETWEEN_LOOKS_AT_THE_CLOCK;
      if (Thread.currentThread().isInterrupted()) {
        throw new TemplateException("The thread that works on the template was interrupted");
      }
      if (System.nanoTime() - begun > longestNanos) {
        throw new TemplateException(
            "The template takes longer than %d ms".formatted(longestNanos / 1_000_000));
      }
    }
  }

  /** Counts work before it is done; or just after, where a piece of it is small. */
  static void look(long units) {
    if (CURRENT.isBound()) {
      CURRENT.get().take(units);
    }
  }

  /** Counts what is made before it is made: it takes memory, written or not. */
  static void hold(long size) {
    if (CURRENT.isBound()) {
      Budget budget = CURRENT.get();
      budget.bytes += size;
      if (budget.bytes > budget.mostBytes || size < 0) {
        throw new TemplateException(
            "The template makes more than %d bytes".formatted(budget.mostBytes));
      }
      budget.take(size / 4);
    }
  }

  /** Takes back what was held for something that nobody can reach any more. */
  static void release(long size) {
    if (CURRENT.isBound()) {
      CURRENT.get().bytes -= size;
    }
  }

  /** Counts a string of so many characters. */
  static void text(long characters) {
    hold(times(characters, 2, TEXT));
    look(characters);
  }

  /** Counts a list of so many items, but not these. */
  static void list(long items) {
    hold(times(items, SLOT, LIST));
  }

  /** Counts so many things of so many bytes each. */
  static void many(long count, long each) {
    hold(times(count, each, 0));
  }

  private static long times(long count, long each, long more) {
    boolean absurd = count < 0 || (each > 0 && count > (Long.MAX_VALUE >> 1) / each);
    return absurd ? -1 : count * each + more;
  }

  void enter() {
    if (++depth > DEEPEST) {
      throw new TemplateException("The template calls itself more than %d deep".formatted(DEEPEST));
    }
  }

  void leave() {
    depth--;
  }

  long work() {
    return work;
  }

  long bytes() {
    return bytes;
  }

  /** The part of the budget that is spent, whichever is more: of work or of memory. */
  double spent() {
    return Math.max((double) work / mostWork, (double) bytes / mostBytes);
  }
}
