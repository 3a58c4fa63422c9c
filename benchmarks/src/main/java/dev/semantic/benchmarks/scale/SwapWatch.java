package dev.semantic.benchmarks.scale;

import dev.semantic.memory.ByteSize;
import dev.semantic.memory.MemoryProbe;
import dev.semantic.swap.SwapListener;
import dev.semantic.swap.SwapPhase;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** What a swap's own report does not tell: when the numbers were in memory, and what was freed. */
final class SwapWatch implements SwapListener {
  private final MemoryProbe memory;
  private final List<Freed> freed = new ArrayList<>();
  private volatile Optional<SwapPhase> current = Optional.empty();
  private volatile long numbersThere;
  private volatile long activating;
  private volatile long activeThen;
  private volatile long peak;

  /**
   * Just after the unload.
   *
   * @param active bytes by MLX's count
   * @param cached bytes that MLX holds back
   * @param resident of the process
   */
  record Freed(ByteSize active, ByteSize cached, ByteSize resident) {}

  SwapWatch(MemoryProbe memory) {
    this.memory = memory;
  }

  @Override
  public void phase(SwapPhase phase) {
    boolean unloaded = current.filter(SwapPhase.UNLOADING::equals).isPresent();
    current = Optional.of(phase);
    if (unloaded) {
      freed.add(now());
    }
    if (phase == SwapPhase.ACTIVATING || phase == SwapPhase.DRAINING) {
      if (activating == 0 && numbersThere != 0) {
        activating = System.nanoTime();
        peak = memory.peakBytes();
      }
    }
  }

  @Override
  public void progress(ByteSize done, ByteSize total) {
    boolean loading = current.filter(SwapPhase.LOADING::equals).isPresent();
    if (loading && done.equals(total)) {
      memory.resetPeak();
      activeThen = memory.activeBytes();
      numbersThere = System.nanoTime();
    }
  }

  private Freed now() {
    return new Freed(
        new ByteSize(memory.activeBytes()),
        new ByteSize(memory.cachedBytes()),
        ProcessMemory.now().resident());
  }

  /** Before each swap. */
  void begin() {
    freed.clear();
    current = Optional.empty();
    numbersThere = 0;
    activating = 0;
  }

  /** From the last number in memory to the end of loading: a token, and nothing else of weight. */
  Duration warmUp() {
    return Duration.ofNanos(activating - numbersThere);
  }

  /** MLX's active bytes when the numbers were in memory. */
  long activeThen() {
    return activeThen;
  }

  /** By how much the first token raised them, at most. */
  long raisedByToken() {
    return peak - activeThen;
  }

  /** Right after the unload, before anything was loaded; else as it stands now. */
  Freed freed() {
    return freed.isEmpty() ? now() : freed.getFirst();
  }
}
