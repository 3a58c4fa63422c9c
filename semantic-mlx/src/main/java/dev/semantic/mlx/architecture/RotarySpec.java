package dev.semantic.mlx.architecture;

/**
 * Rotary position embedding (Su et al. 2021) of one layer, halves not interleaved.
 *
 * @param dimensions how much of each head turns, from its front; even
 * @param base wavelengths grow from one to this
 * @param scaling how they were stretched
 */
public record RotarySpec(int dimensions, float base, RopeScaling scaling) {
  public RotarySpec {
    if (dimensions < 2 || dimensions % 2 != 0) {
      throw new IllegalArgumentException(
          "Positions turn an even number of dimensions, not " + dimensions);
    }
  }

  /** As sequences turn that are not longer than the context a model was first trained with. */
  public RotarySpec near() {
    return scaling instanceof RopeScaling.LongRope both
        ? new RotarySpec(dimensions, base, both.near())
        : this;
  }

  /** As longer ones turn; the same where nothing is said of them. */
  public RotarySpec far() {
    return scaling instanceof RopeScaling.LongRope both
        ? new RotarySpec(dimensions, base, both.far())
        : this;
  }

  /**
   * Wavelengths {@code base^(2i / dimensions)}, stretched as the model was trained with.
   *
   * @return radians to positions, {@code [dimensions / 2]}
   */
  public float[] wavelengths() {
    float[] result = new float[dimensions / 2];
    for (int i = 0; i < result.length; i++) {
      double plain = Math.pow(base, 2.0 * i / dimensions);
      result[i] = (float) scaling.stretched(plain, i, this);
    }
    return result;
  }
}
