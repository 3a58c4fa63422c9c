package dev.semantic.mlx.layers;

import dev.semantic.mlx.array.CpuKernels;
import dev.semantic.mlx.array.DType;
import dev.semantic.mlx.array.Elementwise;
import dev.semantic.mlx.array.MlxArray;
import dev.semantic.mlx.array.Ops;
import dev.semantic.mlx.array.Scope;
import java.util.List;

/** A matrix that vectors are multiplied with, in whatever form its numbers are held. */
public sealed interface Linear {
  /**
   * Applies the matrix to every vector.
   *
   * @param x {@code [batch, tokens, in]}
   * @return {@code [batch, tokens, out]}
   */
  MlxArray of(Scope s, MlxArray x);

  /**
   * Numbers as they are.
   *
   * @param transposed {@code [in, out]}, a view of the {@code [out, in]} that files hold
   */
  record Dense(MlxArray transposed) implements Linear {
    @Override
    public MlxArray of(Scope s, MlxArray x) {
      return Ops.linear(s, x, transposed);
    }
  }

  /**
   * MLX's affine form: groups of {@code bits}-wide integers with a scale and a bias each.
   *
   * @param weights {@code [out, in * bits / 32]}, packed
   * @param scales {@code [out, in / groupSize]}
   * @param biases {@code [out, in / groupSize]}
   * @param kernels whether our own CPU kernels multiply, or MLX's
   */
  record Affine(
      MlxArray weights, MlxArray scales, MlxArray biases, int groupSize, int bits, boolean kernels)
      implements Linear {
    @Override
    public MlxArray of(Scope s, MlxArray x) {
      if (kernels) {
        return CpuKernels.quantizedMatmul(s, x, weights, scales, biases, groupSize, bits);
      }
      return Ops.quantizedMatmul(s, x, weights, scales, biases, groupSize, bits);
    }
  }

  /**
   * Matrices of different forms that are applied to the same input.
   *
   * @param parts their outputs lie one after the other
   */
  record Several(List<Linear> parts) implements Linear {
    @Override
    public MlxArray of(Scope s, MlxArray x) {
      return Ops.concatenate(
          s, 2, parts.stream().map(part -> part.of(s, x)).toArray(MlxArray[]::new));
    }
  }

  /**
   * A matrix whose numbers are held wider than what is computed with: each product is rounded. On
   * CPUs MLX's kernels for 16-bit matrices take up to 30 times as long, and give the same.
   */
  record Wider(Linear matrix, DType held, DType computed) implements Linear {
    @Override
    public MlxArray of(Scope s, MlxArray x) {
      return Ops.astype(s, matrix.of(s, Ops.astype(s, x, held)), computed);
    }
  }

  /**
   * A matrix whose products are shifted.
   *
   * @param bias {@code [out]}
   */
  record Biased(Linear matrix, MlxArray bias) implements Linear {
    @Override
    public MlxArray of(Scope s, MlxArray x) {
      return matrix instanceof Dense(MlxArray transposed) && x.dtype() != DType.FLOAT32
          ? Ops.addmm(s, bias, x, transposed) // rounds once, as the reference does
          : Elementwise.add(s, matrix.of(s, x), bias);
    }
  }
}
