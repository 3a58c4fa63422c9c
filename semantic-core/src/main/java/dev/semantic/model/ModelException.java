package dev.semantic.model;

import java.util.Objects;

/**
 * A model cannot be found, read, loaded or used. The message names the model, the file and place,
 * and what to do about it; {@link #kind()} says to programs what is wrong.
 */
public class ModelException extends RuntimeException {
  private static final long serialVersionUID = 2L;

  /** What is wrong. */
  public enum Kind {
    /** There is no such model, file, revision or directory. */
    NOT_FOUND,
    /** Its files are not what they must be: cut short, contradictory, or not numbers. */
    DAMAGED,
    /** The files may be good; this library does not know the architecture, type or tokenizer. */
    UNSUPPORTED,
    /** Not enough memory, budget or disk for it. */
    DOES_NOT_FIT,
    /** It has no chat template, and messages were given or a template was required. */
    NO_CHAT_TEMPLATE,
    /** It is elsewhere and could not be brought here. */
    FETCH_FAILED,
    /** Its files are not those any more that were checked. */
    CHANGED,
    /** What was asked of it makes no sense: messages that its template refuses, a wrong option. */
    INVALID,
    /** Anything else: a backend, a process or a disk failed; the cause says how. */
    FAILED;

    /** The kind of a failure that has {@code cause}: the same, or {@link #FAILED}. */
    public static Kind of(Throwable cause) {
      return cause instanceof ModelException e ? e.kind() : FAILED;
    }
  }

  private final Kind kind;

  /** From a backend that does not tell kinds apart: {@link Kind#FAILED}. */
  public ModelException(String message) {
    this(Kind.FAILED, message);
  }

  /** The same with a cause, and its kind if it has one. */
  public ModelException(String message, Throwable cause) {
    this(Kind.of(cause), message, cause);
  }

  public ModelException(Kind kind, String message) {
    super(message);
    this.kind = Objects.requireNonNull(kind, "kind");
  }

  public ModelException(Kind kind, String message, Throwable cause) {
    super(message, cause);
    this.kind = Objects.requireNonNull(kind, "kind");
  }

  /** What is wrong, for programs. */
  public final Kind kind() {
    return kind;
  }
}
