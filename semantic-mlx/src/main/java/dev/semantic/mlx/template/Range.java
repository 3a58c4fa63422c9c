package dev.semantic.mlx.template;

import java.util.Iterator;
import java.util.stream.LongStream;

/** {@code range(start, stop, step)}: its numbers are never stored. */
record Range(long start, long stop, long step) implements Iterable<Long> {
  private static final int LONGEST = 100_000; // as jinja2's sandbox has it

  Range {
    if (step == 0) {
      throw new TemplateException("range cannot step by zero");
    }
    if (span(start, stop, step) > LONGEST) {
      throw new TemplateException("A range of more than " + LONGEST);
    }
  }

  private static double span(long start, long stop, long step) {
    return Math.ceil(((double) stop - (double) start) / (double) step);
  }

  int size() {
    return (int) Math.max(0, span(start, stop, step));
  }

  long get(long index) {
    return start + index * step;
  }

  /** The part that a slice names. */
  Range slice(long from, long to, long stride) {
    return new Range(get(from), get(to), step * stride);
  }

  @Override
  public Iterator<Long> iterator() {
    return LongStream.range(0, size()).map(this::get).iterator();
  }
}
