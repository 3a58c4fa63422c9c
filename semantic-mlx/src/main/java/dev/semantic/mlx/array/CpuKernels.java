package dev.semantic.mlx.array;

import dev.semantic.mlx.MlxException;
import dev.semantic.mlx.capi.KernelCalls;
import dev.semantic.mlx.capi.Memory;
import dev.semantic.mlx.capi.Symbols;
import java.lang.foreign.Arena;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * CPU kernels of our own, as operations of MLX's graph. Each number of a result is one sum of a
 * fixed order: it has the same bits whatever is computed beside it, with any number of threads, on
 * every processor.
 */
public final class CpuKernels {
  /**
   * Chooses the instructions they are made of: {@code portable}, {@code avx2}, {@code avx-vnni},
   * {@code avx512-vnni}; {@code off} for MLX's own kernels. The best there are unless said.
   */
  public static final String PROPERTY = "semantic.kernels";

  private static final String OFF = "off";
  private static final Logger LOG = LoggerFactory.getLogger(CpuKernels.class);

  private CpuKernels() {}

  /**
   * Makes them ready, once, on the owner thread.
   *
   * @return the name of the instructions they are made of; empty where MLX's own kernels serve
   * @throws MlxException if instructions are wanted that this processor lacks
   */
  static Optional<String> open() {
    String wanted = System.getProperty(PROPERTY, "");
    if (!Symbols.hasKernels()) {
      return Optional.empty(); // whoever loads libraries has said so
    }
    if (wanted.equals(OFF)) {
      LOG.info("MLX's own CPU kernels serve: -D{}={}", PROPERTY, OFF);
      return Optional.empty();
    }
    use(wanted);
    limitThreads(Runtime.getRuntime().availableProcessors());
    String used = instructionSet();
    LOG.info("CPU kernels of our own: {}", used);
    return Optional.of(used);
  }

  /** Other instructions from now on; empty for the best there are. */
  static void use(String instructionSet) {
    try (Arena arena = Arena.ofConfined()) {
      KernelCalls.use(arena.allocateFrom(instructionSet));
    } catch (MlxException e) {
      throw new MlxException("-D" + PROPERTY + ": " + e.getMessage(), e);
    }
  }

  static String instructionSet() {
    return Memory.text(KernelCalls.instructionSet());
  }

  /** How many threads compute at most, MLX's own among them. */
  static void limitThreads(int threads) {
    KernelCalls.threads(threads);
  }

  /**
   * The product with a matrix in affine quantised form; rounded once, to the format of {@code x}.
   *
   * @param x {@code [.., in]}, of any floating-point format
   * @param weights uint32 {@code [out, in * bits / 32]}
   * @param scales {@code [out, in / groupSize]}, of any floating-point format
   * @param biases like {@code scales}
   * @return {@code [.., out]}
   */
  public static MlxArray quantizedMatmul(
      Scope s,
      MlxArray x,
      MlxArray weights,
      MlxArray scales,
      MlxArray biases,
      int groupSize,
      int bits) {
    KernelCalls.quantizedMatmul(
        CallBuffers.result(),
        x.handle(),
        weights.handle(),
        scales.handle(),
        biases.handle(),
        groupSize,
        bits,
        s.stream());
    return s.adoptResult("quantizedMatmul");
  }
}
