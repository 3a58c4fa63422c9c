package dev.semantic.model;

import java.util.regex.Pattern;

/**
 * The identity of a model as a cache sees it: two models with equal tags compute the same keys and
 * values, bit for bit, from the same tokens. The fingerprint covers the weights, the tokenizer, the
 * chat template, the cache's layout and its precision, so neither a name nor a geometry alone can
 * make a cache fit.
 *
 * @param model a short name, for people and directory names; letters, digits, {@code . _ -}
 * @param fingerprint SHA-256, 64 lower-case hexadecimal digits
 */
public record ModelTag(String model, String fingerprint) {
  private static final Pattern MODEL = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,99}");
  private static final Pattern FINGERPRINT = Pattern.compile("[0-9a-f]{64}");

  public ModelTag {
    if (!MODEL.matcher(model).matches()) {
      throw new IllegalArgumentException("Not a model's short name: '" + model + "'");
    }
    if (!FINGERPRINT.matcher(fingerprint).matches()) {
      throw new IllegalArgumentException("Not a SHA-256 in hexadecimal: '" + fingerprint + "'");
    }
  }

  /**
   * Model and the first sixteen digits of the fingerprint: {@code gemma-3-270m-a5fd3b62230aa5ec}.
   */
  @Override
  public String toString() {
    return model + "-" + fingerprint.substring(0, 16);
  }
}
