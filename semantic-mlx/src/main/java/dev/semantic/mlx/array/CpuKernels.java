package dev.semantic.mlx.array;

import dev.semantic.mlx.MlxException;
import dev.semantic.mlx.capi.KernelCalls;
import dev.semantic.mlx.capi.Memory;
import dev.semantic.mlx.capi.Symbols;
import dev.semantic.mlx.capi.VectorCalls;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * CPU kernels of our own, as operations of MLX's graph. Each number of a result is one sum of a
 * fixed order: it has the same bits whatever is computed beside it, with any number of threads, on
 * every processor.
 */
public final class CpuKernels {
  /** What a gate is bent by. */
  public enum Activation {
    /** {@code x sigmoid(x)} (Elfwing et al. 2017). */
    SILU(0),
    /** By its tanh approximation (Hendrycks, Gimpel 2016). */
    GELU_TANH(1);

    private final int code; // of the C function

    Activation(int code) {
      this.code = code;
    }
  }

  /**
   * Has models computed with them: {@code on}, or the instructions they are to be made of, {@code
   * portable}, {@code avx2}, {@code avx-vnni} or {@code avx512-vnni}. Unless said, and {@code off},
   * MLX's own kernels serve.
   */
  public static final String PROPERTY = "semantic.kernels";

  private static final String OFF = "off";
  private static final String ON = "on";
  private static final Logger LOG = LoggerFactory.getLogger(CpuKernels.class);

  private CpuKernels() {}

  /**
   * Makes them ready, once, on the owner thread.
   *
   * @return the name of the instructions they are made of; empty where MLX's own kernels serve
   * @throws MlxException if instructions are wanted that this processor lacks
   */
  static Optional<String> open() {
    if (!Symbols.hasKernels()) {
      return Optional.empty(); // whoever loads libraries has said so
    }
    String wanted = System.getProperty(PROPERTY, "");
    use(wanted.equals(ON) || wanted.equals(OFF) ? "" : wanted);
    limitThreads(Runtime.getRuntime().availableProcessors());
    String used = instructionSet();
    if (areWanted()) {
      LOG.info("CPU kernels of our own: {}", used);
    }
    return Optional.of(used);
  }

  /** Whether models are to be computed with them. */
  public static boolean areWanted() {
    String wanted = System.getProperty(PROPERTY, "");
    return !wanted.isEmpty() && !wanted.equals(OFF);
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

  /**
   * Gates, bent, times what they gate; of float32 numbers, as all that follows.
   *
   * @param both {@code [.., 2 width]}: gates, then what they gate
   * @return {@code [.., width]}
   */
  public static MlxArray gated(Scope s, MlxArray both, Activation activation) {
    KernelCalls.gatedActivation(CallBuffers.result(), both.handle(), activation.code, s.stream());
    return s.adoptResult("gated");
  }

  /**
   * Root mean square normalisation over the last axis.
   *
   * @param weights {@code [width]}; for {@code [batch, heads, tokens, width]} also {@code [heads,
   *     1, width]}
   */
  public static MlxArray rmsNorm(Scope s, MlxArray x, MlxArray weights, float eps) {
    KernelCalls.rmsNorm(CallBuffers.result(), x.handle(), weights.handle(), eps, s.stream());
    return s.adoptResult("rmsNorm");
  }

  /**
   * Rotary positions: the halves of each row against each other.
   *
   * @param x {@code [batch, heads, tokens, headDim]}
   * @param cosines {@code [batch, 1, tokens, headDim]}
   * @param sines likewise; those of the first half with their sign changed
   */
  public static MlxArray rotary(Scope s, MlxArray x, MlxArray cosines, MlxArray sines) {
    KernelCalls.rotary(
        CallBuffers.result(), x.handle(), cosines.handle(), sines.handle(), s.stream());
    return s.adoptResult("rotary");
  }

  /**
   * Attention of the last tokens of each of several sequences, each to itself and to what lies
   * before it, wherever that lies: the same bits in however many pieces, and for however many
   * tokens at once.
   *
   * @param q {@code [sequences, heads, tokens, headDim]}
   * @param held what each of the sequences holds
   * @param window tokens that each sees, itself included; 0 for all
   * @param softcap what scores are bent to stay within; 0 for not at all
   * @return {@code [sequences, heads, tokens, headDim]}
   */
  public static MlxArray attention(
      Scope s, MlxArray q, List<Held> held, int window, float scale, float softcap) {
    long stream = s.stream();
    long vector = Scope.vector(held.stream().flatMap(each -> each.pieces().stream()).toList());
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment counts =
          arena.allocateFrom(
              ValueLayout.JAVA_INT,
              held.stream().mapToInt(each -> each.pieces().size() / 2).toArray());
      MemorySegment starts =
          arena.allocateFrom(ValueLayout.JAVA_INT, held.stream().mapToInt(Held::start).toArray());
      KernelCalls.attention(
          CallBuffers.result(),
          q.handle(),
          vector,
          counts,
          starts,
          held.size(),
          window,
          scale,
          softcap,
          stream);
    } finally {
      VectorCalls.vectorArrayFree(vector);
    }
    return s.adoptResult("attention");
  }

  /**
   * Keys and values of a sequence.
   *
   * @param start the position of the first token of them: sums are in the order of positions
   * @param pieces keys, values, keys, values, {@code [1, kvHeads, tokens, headDim]}
   */
  public record Held(int start, List<MlxArray> pieces) {}
}
