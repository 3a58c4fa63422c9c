package dev.semantic.mlx.isolated;

import dev.semantic.memory.MemoryAllocation;
import dev.semantic.memory.MemoryProbe;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.function.ToLongFunction;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The memory of all child processes together; one that is dead has none. */
record WorkersMemory(Supplier<List<WorkerProcess>> children) implements MemoryProbe {
  private static final Logger LOG = LoggerFactory.getLogger(WorkersMemory.class);

  @Override
  public long activeBytes() {
    return sum(Response.Memory::active);
  }

  /** Of one process; zero if it has ended. */
  static long activeBytes(WorkerProcess worker) {
    return ask(worker, new Request.Memory(), Response.Memory.class)
        .map(Response.Memory::active)
        .orElse(0L);
  }

  @Override
  public long cachedBytes() {
    return sum(Response.Memory::cached);
  }

  @Override
  public long peakBytes() {
    return sum(Response.Memory::peak);
  }

  private long sum(ToLongFunction<Response.Memory> figure) {
    return children.get().stream()
        .flatMap(worker -> ask(worker, new Request.Memory(), Response.Memory.class).stream())
        .mapToLong(figure)
        .sum();
  }

  @Override
  public void resetPeak() {
    children.get().forEach(worker -> ask(worker, new Request.ResetPeak(), Response.Done.class));
  }

  @Override
  public void releaseCached() {
    children.get().forEach(worker -> ask(worker, new Request.ReleaseCached(), Response.Done.class));
  }

  @Override
  public List<MemoryAllocation> holdings() {
    return children.get().stream()
        .flatMap(worker -> ask(worker, new Request.Holdings(), Response.Holdings.class).stream())
        .flatMap(answer -> answer.value().stream())
        .sorted(Comparator.comparing(MemoryAllocation::size).reversed())
        .toList();
  }

  private static <T extends Response> Optional<T> ask(
      WorkerProcess worker, Request request, Class<T> answer) {
    if (!worker.isAlive()) {
      return Optional.empty();
    }
    try {
      return Optional.of(worker.ask(request, answer));
    } catch (RuntimeException e) {
      LOG.debug("{} died while it was asked for its memory", worker, e);
      return Optional.empty();
    }
  }
}
