package dev.semantic.mlx.array;

import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/**
 * How many native arrays are held by Java: back to where it was after every test, or something
 * leaks. With {@code -Dsemantic.mlx.births=true} each remembers where it was made.
 */
public final class LiveHandles {
  private static final boolean BIRTHS = Boolean.getBoolean("semantic.mlx.births");
  private static final AtomicLong COUNT = new AtomicLong();
  private static final Map<MlxArray, Throwable> BORN = new ConcurrentHashMap<>();

  private LiveHandles() {}

  /** Arrays whose handle has not been freed. */
  public static long count() {
    return COUNT.get();
  }

  /** Where the live arrays were made; empty unless births are remembered. */
  public static List<Throwable> births() {
    return List.copyOf(BORN.values());
  }

  static void born(MlxArray array) {
    COUNT.incrementAndGet();
    if (BIRTHS) {
      BORN.put(array, new Throwable("made here"));
    }
  }

  static void freed(MlxArray array) {
    COUNT.decrementAndGet();
    if (BIRTHS) {
      BORN.remove(array);
    }
  }
}
