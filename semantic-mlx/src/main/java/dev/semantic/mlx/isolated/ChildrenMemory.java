package dev.semantic.mlx.isolated;

import dev.semantic.memory.Holding;
import dev.semantic.memory.MemoryProbe;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.function.ToLongFunction;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The memory of all child processes together; one that is dead has none. */
record ChildrenMemory(Supplier<List<Child>> children) implements MemoryProbe {
  private static final Logger LOG = LoggerFactory.getLogger(ChildrenMemory.class);

  @Override
  public long activeBytes() {
    return sum(Answer.Memory::active);
  }

  /** Of one process; zero if it has ended. */
  static long activeBytes(Child child) {
    return ask(child, new Ask.Memory(), Answer.Memory.class).map(Answer.Memory::active).orElse(0L);
  }

  @Override
  public long cachedBytes() {
    return sum(Answer.Memory::cached);
  }

  @Override
  public long peakBytes() {
    return sum(Answer.Memory::peak);
  }

  private long sum(ToLongFunction<Answer.Memory> figure) {
    return children.get().stream()
        .flatMap(child -> ask(child, new Ask.Memory(), Answer.Memory.class).stream())
        .mapToLong(figure)
        .sum();
  }

  @Override
  public void resetPeak() {
    children.get().forEach(child -> ask(child, new Ask.ResetPeak(), Answer.Done.class));
  }

  @Override
  public void releaseCached() {
    children.get().forEach(child -> ask(child, new Ask.ReleaseCached(), Answer.Done.class));
  }

  @Override
  public List<Holding> holdings() {
    return children.get().stream()
        .flatMap(child -> ask(child, new Ask.Holdings(), Answer.Holdings.class).stream())
        .flatMap(answer -> answer.value().stream())
        .sorted(Comparator.comparing(Holding::size).reversed())
        .toList();
  }

  private static <T extends Answer> Optional<T> ask(Child child, Ask ask, Class<T> answer) {
    if (!child.isAlive()) {
      return Optional.empty();
    }
    try {
      return Optional.of(child.ask(ask, answer));
    } catch (RuntimeException e) {
      LOG.debug("{} died while it was asked for its memory", child, e);
      return Optional.empty();
    }
  }
}
