package dev.semantic.mlx.template;

/** Escape sequences in strings, as Python reads them. */
final class Escapes {
  private Escapes() {}

  /**
   * Appends what the sequence stands for.
   *
   * @param at just after the backslash
   * @return just after the sequence
   */
  static int append(String source, int at, StringBuilder text) {
    char c = source.charAt(at);
    switch (c) {
      case 'n' -> text.append('\n');
      case 't' -> text.append('\t');
      case 'r' -> text.append('\r');
      case 'b' -> text.append('\b');
      case 'f' -> text.append('\f');
      case 'a' -> text.append('\u0007');
      case 'v' -> text.append('\u000b');
      case '0' -> text.append('\0');
      case '\\', '\'', '"' -> text.append(c);
      case '\n' -> text.append("");
      case 'x' -> {
        return code(source, at, 2, text);
      }
      case 'u' -> {
        return code(source, at, 4, text);
      }
      case 'U' -> {
        return code(source, at, 8, text);
      }
      default -> text.append('\\').append(c);
    }
    return at + 1;
  }

  private static int code(String source, int at, int digits, StringBuilder text) {
    int end = at + 1 + digits;
    if (end <= source.length()) {
      try {
        text.appendCodePoint(Integer.parseInt(source.substring(at + 1, end), 16));
        return end;
      } catch (IllegalArgumentException e) {
        throw new TemplateException("Not a character: \\" + source.substring(at, end));
      }
    }
    throw new TemplateException("A \\" + source.charAt(at) + " without its digits");
  }
}
