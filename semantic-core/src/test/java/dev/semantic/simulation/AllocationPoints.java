package dev.semantic.simulation;

import java.util.List;

/**
 * Counts the places where the core asks for memory, and lets some of them fail. One for the whole
 * process, whoever loaded the core. Thread-safe.
 */
public final class AllocationPoints {
  /** When memory runs out. */
  public enum When {
    MORNING,
    EVENING,
    NIGHT
  }

  private static When planned = When.MORNING; // under the class's lock, as all below
  private static String thread = "";
  private static int passed;
  private static int first;
  private static int last;
  private static boolean fired;
  private static volatile boolean active;
  private static List<StackTraceElement> where = List.of();

  private AllocationPoints() {}

  /** The {@code nth} place that threads of this name come to fails, and {@code more} after it. */
  static synchronized void plan(When when, String name, int nth, int more) {
    active = false;
    planned = when;
    thread = name;
    passed = 0;
    first = nth;
    last = nth == Integer.MAX_VALUE ? nth : nth + more;
    fired = false;
    where = List.of();
  }

  /** Where memory ran out first since. */
  static synchronized List<StackTraceElement> where() {
    return where;
  }

  /** How many places threads of this name have come to since. */
  static synchronized int passed() {
    return passed;
  }

  /** It is morning, say. */
  public static synchronized void enter(When now) {
    active = now == planned;
  }

  /** Whether memory has run out yet. */
  public static synchronized boolean fired() {
    return fired;
  }

  /** Called by the core, which was rewritten to. */
  public static void visit() {
    if (active) {
      count();
    }
  }

  private static synchronized void count() {
    if (!Thread.currentThread().getName().startsWith(thread)) {
      return;
    }
    passed++;
    if (passed >= first && passed <= last) {
      fired = true;
      OutOfMemoryError none = new OutOfMemoryError("injected");
      where = where.isEmpty() ? List.of(none.getStackTrace()) : where;
      throw none;
    }
  }
}
