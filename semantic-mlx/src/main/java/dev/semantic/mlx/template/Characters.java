package dev.semantic.mlx.template;

/** What Python knows of single characters and Java does not say in one word. */
final class Characters {
  private Characters() {}

  /** {@code str.isdigit}: decimal digits, and those that stand above, below or in a circle. */
  @SuppressWarnings("CharacterGetNumericValue") // letters are kept out by their type
  static boolean isDigit(int c) {
    int value = Character.getNumericValue(c);
    return Character.isDigit(c)
        || (Character.getType(c) == Character.OTHER_NUMBER && value >= 0 && value <= 9);
  }

  /** {@code str.isnumeric}: also fractions and Roman numerals. */
  static boolean isNumeric(int c) {
    return switch (Character.getType(c)) {
      case Character.DECIMAL_DIGIT_NUMBER, Character.LETTER_NUMBER, Character.OTHER_NUMBER -> true;
      default -> false;
    };
  }

  static String swapCase(String text) {
    Budget.text(text.length());
    StringBuilder out = new StringBuilder();
    text.codePoints()
        .forEach(
            c -> {
              String one = Character.toString(c);
              out.append(Character.isLowerCase(c) ? PythonText.upper(one) : PythonText.lower(one));
            });
    return out.toString();
  }

  static String expandTabs(String text, long size) {
    Budget.many(text.length(), 4);
    Budget.look(4L * text.length());
    StringBuilder out = new StringBuilder();
    long column = 0;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '\t') {
        long wide = size <= 0 ? 0 : size - column % size;
        Budget.many(wide, 4);
        out.append(" ".repeat((int) wide));
        column += wide;
      } else {
        out.append(c);
        column = c == '\n' || c == '\r' ? 0 : column + (Character.isLowSurrogate(c) ? 0 : 1);
      }
    }
    return out.toString();
  }
}
