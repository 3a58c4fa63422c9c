package dev.semantic.mlx;

import dev.semantic.mlx.architecture.RopeScaling;
import dev.semantic.mlx.array.DType;
import dev.semantic.mlx.checkpoint.Checkpoint;
import dev.semantic.mlx.files.Sha256;
import dev.semantic.mlx.load.ComputePolicy;
import dev.semantic.model.KvLayout;
import dev.semantic.model.KvPrecision;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Map;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/**
 * The fingerprint in a model's tag: a checkpoint's own, and all else that decides what its keys and
 * values are. Every word of it is written out here: a class or a constant that is renamed must not
 * make every parked cache another model's.
 */
final class ModelFingerprint {
  /** Raise it when the same files begin to give other keys and values. */
  private static final int ARITHMETIC = 2;

  private ModelFingerprint() {}

  /**
   * SHA-256 in lower-case hexadecimal digits; reads the checkpoint's files, unless they are known.
   *
   * @param device {@code cpu} or {@code gpu}
   */
  static String of(Checkpoint checkpoint, KvLayout layout, ComputePolicy policy, String device) {
    MessageDigest digest = Sha256.digest();
    digest.update(checkpoint.fingerprint());
    String text = text(layout, policy, device) + products(policy) + mended(checkpoint);
    digest.update(text.getBytes(StandardCharsets.UTF_8));
    return Sha256.finish(digest);
  }

  /** What is not in the files. */
  static String text(KvLayout layout, ComputePolicy policy, String device) {
    return "%d|%s|%s|%s|%s|%s|%s"
        .formatted(
            ARITHMETIC,
            text(layout),
            text(policy.kvPrecision()),
            text(policy.weightFormat()),
            text(policy.activations()),
            policy.gpu(),
            device);
  }

  /** Our own kernels compute what MLX's do not, to other bits; the same on every processor. */
  private static String products(ComputePolicy policy) {
    return policy.kernels() ? "|own CPU kernels, 3" : "";
  }

  private static String text(KvLayout layout) {
    return layout.layers().stream()
        .map(
            layer ->
                "Layer[kvHeads=%d, headDim=%d, window=%d]"
                    .formatted(layer.kvHeads(), layer.headDim(), layer.window()))
        .collect(Collectors.joining(", ", "KvLayout[layers=[", "]]"));
  }

  private static String text(KvPrecision precision) {
    return switch (precision) {
      case FLOAT32 -> "FLOAT32";
      case FLOAT16 -> "FLOAT16";
      case BFLOAT16 -> "BFLOAT16";
    };
  }

  private static String text(ComputePolicy.WeightFormat weightFormat) {
    return switch (weightFormat) {
      case EXPANDED -> "EXPANDED";
      case QUANTISED -> "QUANTISED";
      case HALF -> "NARROW";
      case NATIVE -> "AS_IN_FILE";
    };
  }

  private static String text(DType activations) {
    return switch (activations) {
      case FLOAT32 -> "FLOAT32";
      case FLOAT16 -> "FLOAT16";
      case BFLOAT16 -> "BFLOAT16";
      default -> throw new IllegalArgumentException("No activations are " + activations);
    };
  }

  /**
   * Sets apart the files whose positions former builds turned otherwise: their caches are wrong.
   */
  private static String mended(Checkpoint checkpoint) {
    Map<String, Object> said = checkpoint.metadata();
    boolean unnamed =
        !said.isEmpty() && said.keySet().stream().noneMatch(k -> k.endsWith(".rope.scaling.type"));
    boolean stretched = anyScaling(checkpoint, RopeScaling.Linear.class::isInstance);
    boolean read =
        anyScaling(
            checkpoint,
            each -> each instanceof RopeScaling.LongRope || each instanceof RopeScaling.Yarn);
    return (unnamed && stretched ? "|stretched" : "") + (read ? "|near and far" : "");
  }

  private static boolean anyScaling(Checkpoint checkpoint, Predicate<RopeScaling> kind) {
    return checkpoint.decoder().layers().stream()
        .map(layer -> layer.attention().rotary().scaling())
        .anyMatch(kind);
  }
}
