package dev.semantic.generate;

import dev.semantic.log.Log;
import dev.semantic.model.ModelException;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A request was refused or could not be answered to its end. The message says why to people, {@link
 * #kind()} says it to programs: an HTTP status follows from it.
 */
public final class RequestException extends RuntimeException {
  private static final long serialVersionUID = 2L;

  /** Why there is no answer. */
  public enum Kind {
    /** The request makes no sense to this model, now or later: no tokens, messages refused. */
    INVALID,
    /** Prompt and answer are more than the model, or the memory for caches, can ever hold. */
    TOO_LONG,
    /** No model serves, and none is expected that could answer. */
    NO_MODEL,
    /** The request names a model, and another one serves. */
    WRONG_MODEL,
    /** There is no room for its cache beside those that must stay. */
    NO_ROOM,
    /** Too many requests wait already. */
    QUEUE_FULL,
    /** Its deadline or its time limit passed before it was begun, or the wait for it ended. */
    TIME_LIMIT,
    /** It was cancelled before it was begun, or ended because the model is being changed. */
    CANCELLED,
    /** The thread that waited for it was interrupted; the request itself may go on. */
    INTERRUPTED,
    /** The engine or the registry was closed. */
    CLOSED,
    /** The model, its store or the engine failed; the cause says how. */
    FAILED
  }

  private final Kind kind;
  private final @Nullable Duration retryAfter;

  public RequestException(Kind kind, String message) {
    this(kind, message, null, null);
  }

  public RequestException(Kind kind, String message, @Nullable Throwable cause) {
    this(kind, message, cause, null);
  }

  /** Refused only for now. */
  public RequestException(Kind kind, String message, Duration retryAfter) {
    this(kind, message, null, retryAfter);
  }

  private RequestException(
      Kind kind, String message, @Nullable Throwable cause, @Nullable Duration retryAfter) {
    super(message, cause);
    this.kind = Objects.requireNonNull(kind, "kind");
    this.retryAfter = retryAfter;
  }

  /** What a request that met {@code cause} ends with; a refusal stays what it is. */
  public static RequestException of(Throwable cause) {
    return cause instanceof RequestException refusal
        ? refusal
        : new RequestException(kindOf(cause), Log.reason(cause), cause);
  }

  /** Text or messages for a model that can't read any are the request's fault. */
  private static Kind kindOf(Throwable cause) {
    return cause instanceof ModelException e
        ? switch (e.kind()) {
          case NO_CHAT_TEMPLATE, UNSUPPORTED, INVALID -> Kind.INVALID;
          default -> Kind.FAILED;
        }
        : Kind.FAILED;
  }

  /** Why, for programs. */
  public Kind kind() {
    return kind;
  }

  /** After what time the same request has a chance, where that is known. */
  public Optional<Duration> retryAfter() {
    return Optional.ofNullable(retryAfter);
  }
}
