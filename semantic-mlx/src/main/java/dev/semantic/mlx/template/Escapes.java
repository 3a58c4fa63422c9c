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
      case '\\', '\'', '"' -> text.append(c);
      case '\n' -> text.append("");
      case '0', '1', '2', '3', '4', '5', '6', '7' -> {
        return octal(source, at, text);
      }
      case 'x' -> {
        return code(source, at, 2, text);
      }
      case 'u' -> {
        return code(source, at, 4, text);
      }
      case 'U' -> {
        return code(source, at, 8, text);
      }
      case 'N' -> {
        return named(source, at, text);
      }
      default -> text.append('\\').append(c);
    }
    return at + 1;
  }

  private static int octal(String source, int at, StringBuilder text) {
    int end = at;
    int value = 0;
    while (end < source.length() && end < at + 3 && "01234567".indexOf(source.charAt(end)) >= 0) {
      value = value * 8 + source.charAt(end++) - '0';
    }
    text.appendCodePoint(value);
    return end;
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

  private static int named(String source, int at, StringBuilder text) {
    int end = source.indexOf('}', at);
    if (end < 0 || source.charAt(at + 1) != '{') {
      throw new TemplateException("A \\N without the name of a character");
    }
    try {
      text.appendCodePoint(Character.codePointOf(source.substring(at + 2, end)));
      return end + 1;
    } catch (IllegalArgumentException e) {
      throw new TemplateException("Not a character: \\" + source.substring(at, end + 1));
    }
  }
}
