package dev.semantic.mlx.tokenizer;

/**
 * A piece of text that is always one token, with the names that {@code tokenizer.json} has.
 *
 * @param special a control token, which is no part of what anybody writes
 * @param singleWord only where no letter, digit or underscore stands next to it
 * @param lstrip takes the white space before it along
 * @param rstrip takes the white space behind it along
 * @param normalized looked for only where those that are not have left something, and in what the
 *     normalizer has made of it
 */
record AddedToken(
    int id,
    String text,
    boolean special,
    boolean singleWord,
    boolean lstrip,
    boolean rstrip,
    boolean normalized) {
  /**
   * Characters that a special one has at most: wherever text from outside may end, as many are
   * looked at.
   */
  static final int LONGEST_SPECIAL = 256;

  /** A plain one, as a GGUF file has them. */
  static AddedToken of(int id, String text, boolean special) {
    return new AddedToken(id, text, special, false, false, false, false);
  }
}
