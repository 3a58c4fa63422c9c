package dev.semantic.mlx.template;

/** A template cannot be parsed or rendered; the message says where, by line and column. */
public final class TemplateException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private static final int LONGEST = 500;

  private final boolean placed;

  TemplateException(String message) {
    super(clipped(message));
    placed = false;
  }

  TemplateException(Position at, String message) {
    super("%s (line %d, column %d)".formatted(clipped(message), at.line(), at.column()));
    placed = true;
  }

  /** A template's own words, which may be as long as it likes, and go to a terminal. */
  private static String clipped(String message) {
    StringBuilder shown = new StringBuilder();
    for (int i = 0; i < Math.min(message.length(), LONGEST); i++) {
      char c = message.charAt(i);
      shown.append(Character.isISOControl(c) && c != '\n' && c != '\t' ? '?' : c);
    }
    return shown.append(message.length() > LONGEST ? "…" : "").toString();
  }

  static TemplateException tooDeep(Position at) {
    return new TemplateException(at, "A value or an expression is nested too deeply");
  }

  /** The same error with a place, unless it has one. */
  TemplateException placed(Position at) {
    return placed ? this : new TemplateException(at, String.valueOf(getMessage()));
  }
}
