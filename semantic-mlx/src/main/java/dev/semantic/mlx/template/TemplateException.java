package dev.semantic.mlx.template;

/** A template cannot be parsed or rendered; the message says where, by line and column. */
public final class TemplateException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final boolean placed;

  TemplateException(String message) {
    super(message);
    placed = false;
  }

  TemplateException(Position at, String message) {
    super("%s (line %d, column %d)".formatted(message, at.line(), at.column()));
    placed = true;
  }

  static TemplateException tooDeep(Position at) {
    return new TemplateException(at, "A value or an expression is nested too deeply");
  }

  /** The same error with a place, unless it has one. */
  TemplateException placed(Position at) {
    return placed ? this : new TemplateException(at, String.valueOf(getMessage()));
  }
}
