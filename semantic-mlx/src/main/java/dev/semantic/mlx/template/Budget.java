package dev.semantic.mlx.template;

/**
 * What one rendering may cost: a template comes with a model file, and nobody has read it. Steps
 * bound the time, what is held bounds the memory.
 */
final class Budget {
  static final ScopedValue<Budget> CURRENT = ScopedValue.newInstance();

  private static final long MOST_STEPS = 50_000_000;
  private static final long LONGEST_OUTPUT = 128L * 1024 * 1024;
  private static final int DEEPEST = 200;

  /** Characters or items that are looked at in the time of a step. */
  private static final int AT_A_STEP = 32;

  private long work;
  private int depth;
  private long held;

  void step() {
    take(AT_A_STEP);
  }

  private void take(long items) {
    work += items;
    if (work / AT_A_STEP > MOST_STEPS) {
      throw new TemplateException("The template takes more than %d steps".formatted(MOST_STEPS));
    }
  }

  /**
   * Counts what is made, before it is made: it takes memory, written or not.
   *
   * @param size in characters or list items
   */
  static void hold(long size) {
    if (CURRENT.isBound()) {
      Budget budget = CURRENT.get();
      budget.held += size;
      if (budget.held > LONGEST_OUTPUT || size < 0) {
        throw new TemplateException(
            "The template makes more than %d characters".formatted(LONGEST_OUTPUT));
      }
      budget.take(size);
    }
  }

  /** Counts what is only looked at. */
  static void look(long size) {
    if (CURRENT.isBound()) {
      CURRENT.get().take(size);
    }
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
