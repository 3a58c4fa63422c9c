package dev.semantic.generate;

import java.util.Locale;
import java.util.Objects;

/**
 * Whether a model may, must or must not ask for a tool.
 *
 * @param tool the one that it must call; empty but for {@link Kind#NAMED}
 */
public record ToolChoice(Kind kind, String tool) {
  /** As the model sees fit. */
  public static final ToolChoice AUTO = new ToolChoice(Kind.AUTO, "");

  /** It must not: what looks like a call is text. The tools stay in the prompt. */
  public static final ToolChoice NONE = new ToolChoice(Kind.NONE, "");

  /** It must call at least one, with arguments as its schema has them, and say nothing else. */
  public static final ToolChoice REQUIRED = new ToolChoice(Kind.REQUIRED, "");

  /** The kinds of choices. */
  public enum Kind {
    /** See {@link ToolChoice#AUTO}. */
    AUTO,
    /** See {@link ToolChoice#NONE}. */
    NONE,
    /** See {@link ToolChoice#REQUIRED}. */
    REQUIRED,
    /** It must call the tool of that name, once. */
    NAMED
  }

  public ToolChoice {
    Objects.requireNonNull(kind, "kind must not be null");
    if (Objects.requireNonNull(tool, "tool must not be null").isBlank() == (kind == Kind.NAMED)) {
      throw new IllegalArgumentException(
          "A tool choice names a tool if it is NAMED, and else none");
    }
  }

  /** It must call this tool. */
  public static ToolChoice named(String tool) {
    return new ToolChoice(Kind.NAMED, tool);
  }

  /** {@code auto}, {@code none}, {@code required}, or else a tool's name. */
  public static ToolChoice of(String word) {
    return switch (word) {
      case "auto" -> AUTO;
      case "none" -> NONE;
      case "required" -> REQUIRED;
      default -> named(word);
    };
  }

  /** Whether a tool must be called. */
  public boolean isRequired() {
    return kind == Kind.REQUIRED || kind == Kind.NAMED;
  }

  /** As {@link #of} reads it. */
  public String word() {
    return kind == Kind.NAMED ? tool : kind.name().toLowerCase(Locale.ROOT);
  }
}
