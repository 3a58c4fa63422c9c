package dev.semantic.timeline;

import java.util.List;
import java.util.function.Consumer;
import java.util.function.IntFunction;
import java.util.function.Predicate;
import java.util.stream.IntStream;

/** Pieces of one computation, for as many threads as the machine lends. None outlives the call. */
public final class Parallel {
  private Parallel() {}

  /** What each of the first {@code count} numbers gives, in order. */
  public static <T> List<T> map(int count, IntFunction<T> each) {
    return IntStream.range(0, count).parallel().mapToObj(each).toList();
  }

  /** Whether all pass, as far as one has to look. */
  public static <T> boolean all(List<T> those, Predicate<T> test) {
    return those.parallelStream().allMatch(test);
  }

  /** Does something with each. */
  public static <T> void each(List<T> those, Consumer<T> task) {
    those.parallelStream().forEach(task);
  }
}
