package dev.semantic.races;

import java.util.List;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** Something that happens at one instant of a call. */
@FunctionalInterface
interface Event {
  /** What may be after it; nothing if it cannot happen now. */
  List<Moment> after(Moment now);

  /** Happens if it can. */
  static Event once(Function<Moment, @Nullable Moment> change) {
    return now -> {
      Moment next = change.apply(now);
      return next == null ? List.of() : List.of(next);
    };
  }

  /** Changes nothing, but could be seen then only. */
  static Event seen(Predicate<Moment> truth) {
    return now -> truth.test(now) ? List.of(now) : List.of();
  }

  /** Happens, or not. */
  static Event maybe(Function<Moment, @Nullable Moment> change) {
    return now -> {
      Moment next = change.apply(now);
      return next == null ? List.of(now) : List.of(now, next);
    };
  }

  /** Happens whenever. */
  static Event always(UnaryOperator<Moment> change) {
    return now -> List.of(change.apply(now));
  }
}
