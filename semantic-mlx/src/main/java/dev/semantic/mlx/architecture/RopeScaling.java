package dev.semantic.mlx.architecture;

import java.util.List;

/** How a model's rotary wavelengths were stretched for longer contexts. */
public sealed interface RopeScaling {
  /**
   * A wavelength as the model was trained with.
   *
   * @param plain radians to positions, before
   * @param index of the pair of dimensions
   */
  double stretched(double plain, int index, RotarySpec of);

  /** What the dimensions that turn are multiplied with besides. */
  default float magnitude() {
    return 1;
  }

  /** Not at all. */
  record None() implements RopeScaling {
    @Override
    public double stretched(double plain, int index, RotarySpec of) {
      return plain;
    }
  }

  /** All by the same factor (Chen et al. 2023). */
  record Linear(float factor) implements RopeScaling {
    @Override
    public double stretched(double plain, int index, RotarySpec of) {
      return plain * factor;
    }
  }

  /** Llama 3.1's rule: long wavelengths stretched, short ones kept, those between blended. */
  record Llama3(float factor, float lowFreqFactor, float highFreqFactor, float originalContext)
      implements RopeScaling {
    @Override
    public double stretched(double plain, int index, RotarySpec of) {
      double wavelength = 2 * Math.PI * plain;
      if (wavelength > originalContext / lowFreqFactor) {
        return plain * factor;
      }
      if (wavelength <= originalContext / highFreqFactor) {
        return plain;
      }
      double smooth =
          (originalContext / wavelength - lowFreqFactor) / (highFreqFactor - lowFreqFactor);
      return plain / ((1 - smooth) / factor + smooth);
    }
  }

  /**
   * Each by its own factor: Phi's LongRoPE (Ding et al. 2024), and what GGUF files hold.
   *
   * @param factors {@code [dimensions / 2]}, or one for all
   */
  record Factors(List<Float> factors, float magnitude) implements RopeScaling {
    public Factors {
      factors = List.copyOf(factors);
    }

    @Override
    public double stretched(double plain, int index, RotarySpec of) {
      return plain * factors.get(factors.size() == 1 ? 0 : index);
    }
  }

  /**
   * LongRoPE (Ding et al. 2024) as Phi has it: sequences within the context that a model was first
   * trained with turn by one set of factors, longer ones by another, from their first token on.
   *
   * @param near for sequences of up to {@code originalContext} tokens
   * @param far for longer ones
   */
  record LongRope(Factors near, Factors far, int originalContext) implements RopeScaling {
    @Override
    public double stretched(double plain, int index, RotarySpec of) {
      return near.stretched(plain, index, of);
    }

    @Override
    public float magnitude() {
      return near.magnitude();
    }
  }

  /**
   * YaRN (Peng et al. 2023): between {@code betaFast} and {@code betaSlow} turns over the original
   * context, blended.
   *
   * @param truncate whether the blend begins and ends at whole dimensions
   */
  record Yarn(
      float factor,
      float originalContext,
      float betaFast,
      float betaSlow,
      float magnitude,
      boolean truncate)
      implements RopeScaling {
    /** The usual one. */
    public Yarn(
        float factor, float originalContext, float betaFast, float betaSlow, float magnitude) {
      this(factor, originalContext, betaFast, betaSlow, magnitude, true);
    }

    @Override
    public double stretched(double plain, int index, RotarySpec of) {
      double from = dimension(betaFast, of);
      double to = dimension(betaSlow, of);
      double low = Math.max(truncate ? Math.floor(from) : from, 0);
      double high = Math.min(truncate ? Math.ceil(to) : to, of.dimensions() - 1.0);
      double width = low == high ? 0.001 : high - low;
      double kept = 1 - Math.clamp((index - low) / width, 0, 1);
      double stretched = factor * plain;
      return stretched * plain / (stretched * kept + plain * (1 - kept));
    }

    private double dimension(double turns, RotarySpec of) {
      return of.dimensions()
          * Math.log(originalContext / (turns * 2 * Math.PI))
          / (2 * Math.log(of.base()));
    }
  }
}
