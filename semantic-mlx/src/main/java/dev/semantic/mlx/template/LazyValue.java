package dev.semantic.mlx.template;

import java.util.Iterator;
import java.util.NoSuchElementException;
import org.jspecify.annotations.Nullable;

/**
 * A generator: can be gone through once, is always true, has no length. Templates come to depend on
 * that: {@code {% if messages|select(…) %}} holds even if nothing was selected.
 */
final class LazyValue implements Iterator<@Nullable Object> {
  /** Computes one item after the other. */
  interface Source {
    /** The next item, or {@link #END}. */
    @Nullable Object next();
  }

  static final Object END = new Object();

  private final Source source;
  private @Nullable Object ahead = END;
  private boolean peeked;

  LazyValue(Source source) {
    Budget.hold(128);
    this.source = source;
  }

  static LazyValue of(Iterator<? extends @Nullable Object> items) {
    return new LazyValue(() -> items.hasNext() ? items.next() : END);
  }

  @Override
  @SuppressWarnings("ReferenceEquality") // END is one object
  public boolean hasNext() {
    if (!peeked) {
      ahead = source.next();
      peeked = true;
    }
    return ahead != END;
  }

  /** The next item, which stays. */
  @Nullable Object peek() {
    return hasNext() ? ahead : null;
  }

  @Override
  public @Nullable Object next() {
    if (!hasNext()) {
      throw new NoSuchElementException("nothing is left");
    }
    peeked = false;
    return ahead;
  }
}
