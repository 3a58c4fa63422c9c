package dev.semantic.mlx;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.semantic.memory.ByteSize;
import dev.semantic.memory.MemoryAllocation;
import dev.semantic.memory.MemoryBudget;
import dev.semantic.memory.MemoryProbe;
import dev.semantic.mlx.array.CpuKernels;
import dev.semantic.mlx.array.LiveHandles;
import dev.semantic.mlx.array.MlxSession;
import dev.semantic.mlx.capi.RuntimeCalls;
import dev.semantic.mlx.capi.os.Malloc;
import dev.semantic.mlx.load.ComputePolicy;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.OptionalLong;
import java.util.function.Consumer;

/**
 * MLX in this process: which version, on which device, with how much memory. There is one per
 * process, whoever opens it; any thread may ask.
 */
public final class Mlx implements AutoCloseable {
  private final MlxSession session;

  private Mlx(MlxSession session) {
    this.session = session;
  }

  /**
   * Loads the natives, once per process, and chooses the device: a GPU if there is one, unless
   * {@code -Dsemantic.mlx.device=cpu} says otherwise.
   *
   * @throws MlxException if the natives are missing or do not fit; the message says what to do
   */
  public static Mlx open() {
    return new Mlx(MlxSession.open());
  }

  /**
   * How many native arrays this process holds, over all models: back to where it was once they are
   * closed, or something leaks. Loads no natives.
   */
  public static long liveHandles() {
    return LiveHandles.count();
  }

  /** MLX's own version, for example {@code 0.32.2}. */
  public String version() {
    return session.version();
  }

  /** {@code cpu} or {@code gpu}. */
  public String device() {
    return gpu() ? "gpu" : "cpu";
  }

  /** Whether computing happens on a GPU. */
  public boolean gpu() {
    return session.gpu();
  }

  /**
   * What models and caches may take together on this device: what Metal recommends as the most to
   * keep in use, nine tenths of a graphics card's own memory, or {@link MemoryBudget#ofSystem()}
   * where the device computes in the machine's memory; never more than that there.
   */
  public MemoryBudget budget() {
    return budget(
        MemoryBudget.ofSystem(),
        session.deviceNumber("max_recommended_working_set_size"),
        gpu() ? session.deviceNumber("total_memory") : OptionalLong.empty());
  }

  static MemoryBudget budget(MemoryBudget system, OptionalLong recommended, OptionalLong card) {
    if (recommended.orElse(0) > 0) {
      long bytes = Math.min(system.total().bytes(), recommended.getAsLong());
      return new MemoryBudget(new ByteSize(bytes));
    }
    return card.orElse(0) > 0 ? new MemoryBudget(new ByteSize(card.getAsLong() / 10 * 9)) : system;
  }

  /** MLX's allocator. */
  public Memory memory() {
    return new Memory(session);
  }

  /** What models are computed with. */
  ComputePolicy.Device computes() {
    return new ComputePolicy.Device(gpu(), CpuKernels.areWanted() && session.kernels().isPresent());
  }

  MlxSession session() {
    return session;
  }

  /** Hands what was freed beside MLX's arrays back to the machine. */
  static void trim() {
    Malloc.trim();
  }

  /** Gives unused memory back; the library itself stays, as a JVM never lets go of one safely. */
  @Override
  public void close() {
    memory().releaseCached();
  }

  /** MLX's allocator: what is in use, and what it keeps for reuse. */
  public static final class Memory implements MemoryProbe {
    private final MlxSession session;

    private Memory(MlxSession session) {
      this.session = session;
    }

    @Override
    public long activeBytes() {
      return read(RuntimeCalls::getActiveMemory);
    }

    @Override
    public long cachedBytes() {
      return read(RuntimeCalls::getCacheMemory);
    }

    @Override
    public long peakBytes() {
      return read(RuntimeCalls::getPeakMemory);
    }

    @Override
    public void resetPeak() {
      session.owner().run(RuntimeCalls::resetPeakMemory);
    }

    @Override
    public void releaseCached() {
      session.synchronize(); // clearing with buffers in flight has brought a macOS kernel down
      session.owner().run(RuntimeCalls::clearCache);
      Malloc.trim();
    }

    /** On MLX's own thread: {@code action} must not wait for another one that needs it too. */
    @Override
    public Change during(Runnable action) {
      return session
          .owner()
          .call(
              () -> {
                long before = activeBytes();
                action.run();
                return new Change(before, activeBytes());
              });
    }

    /** By the scope that holds them: a model, or a model and one of its sequences. */
    @Override
    public List<MemoryAllocation> holdings() {
      return session.holdings();
    }

    private long read(Consumer<MemorySegment> call) {
      return session
          .owner()
          .call(
              () -> {
                try (Arena arena = Arena.ofConfined()) {
                  MemorySegment answer = arena.allocate(JAVA_LONG);
                  call.accept(answer);
                  return answer.get(JAVA_LONG, 0);
                }
              });
    }
  }
}
