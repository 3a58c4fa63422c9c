package dev.semantic.mlx.template;

/** What one rendering may cost: a template comes with a model file, and nobody has read it. */
final class Budget {
  private static final int MOST_STEPS = 5_000_000;
  private static final int LONGEST_OUTPUT = 64 * 1024 * 1024;
  private static final int DEEPEST = 200;

  private int steps;
  private int depth;
  private long output;

  void step() {
    if (++steps > MOST_STEPS) {
      throw new TemplateException("The template takes more than %d steps".formatted(MOST_STEPS));
    }
  }

  void write(int characters) {
    output += characters;
    if (output > LONGEST_OUTPUT) {
      throw new TemplateException(
          "The template writes more than %d characters".formatted(LONGEST_OUTPUT));
    }
  }

  /**
   * Refuses what would be too long before it is made.
   *
   * @return the same length
   */
  static long bounded(long length) {
    if (length > LONGEST_OUTPUT) {
      throw new TemplateException(
          "The template makes a text of more than %d characters".formatted(LONGEST_OUTPUT));
    }
    return length;
  }

  void enter() {
    if (++depth > DEEPEST) {
      throw new TemplateException("The template calls itself more than %d deep".formatted(DEEPEST));
    }
  }

  void leave() {
    depth--;
  }
}
