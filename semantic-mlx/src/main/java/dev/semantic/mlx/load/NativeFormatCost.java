package dev.semantic.mlx.load;

import dev.semantic.mlx.checkpoint.Checkpoint;
import dev.semantic.mlx.checkpoint.TensorInfo;
import dev.semantic.mlx.quant.NumberFormat;
import java.util.Map;

/**
 * What MLX's CPU kernels would take to compute a model as it lies in its file, in nanoseconds: an
 * estimate from the table in ADR-014, whose figures are of one machine. Looking tokens up in the
 * embedding is no work; multiplying with it as the head is.
 *
 * @param prompt for a token of a prompt, which goes through the layers
 * @param step for a token of an answer, which goes through the head, too
 */
record NativeFormatCost(long prompt, long step) {
  private static final String EMBEDDING = "model.embed_tokens.weight";
  private static final String HEAD = "lm_head.weight";

  static NativeFormatCost of(Checkpoint checkpoint) {
    String prefix = checkpoint.decoder().prefix();
    Map<String, TensorInfo> tensors = checkpoint.tensors();
    String head = prefix + (tensors.containsKey(prefix + HEAD) ? HEAD : EMBEDDING);
    double layers = 0;
    for (Map.Entry<String, TensorInfo> tensor : tensors.entrySet()) {
      boolean outside = tensor.getKey().equals(head) || tensor.getKey().equals(prefix + EMBEDDING);
      layers += outside ? 0 : product(tensor.getValue());
    }
    return new NativeFormatCost((long) layers, (long) (layers + product(checkpoint.info(head))));
  }

  /** The same for one matrix and one vector. */
  private static double product(TensorInfo tensor) {
    return tensor.shape().length < 2 ? 0 : tensor.elements() * perNumber(tensor.type());
  }

  private static double perNumber(NumberFormat format) {
    boolean quantised = format.affineBits() > 0;
    return switch (format.numbers()) {
      case BFLOAT16 -> quantised ? 5.3 : 1;
      case FLOAT16 -> quantised ? 26 : 2;
      default -> quantised ? 0.7 : 0.12;
    };
  }
}
