package dev.semantic.examples.server.http;

import dev.semantic.generate.RequestException;
import dev.semantic.model.ModelException;
import dev.semantic.store.CacheException;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A request that is answered with an error: which status, and why in words. */
public final class HttpFailure extends RuntimeException {
  private static final long serialVersionUID = 1L;
  private static final Duration SOON = Duration.ofSeconds(2);

  private final int status;
  private final String code;
  private final transient Optional<Duration> retryAfter;
  private final transient Map<String, @Nullable Object> more;

  private HttpFailure(
      int status,
      String code,
      String message,
      Optional<Duration> retryAfter,
      Map<String, @Nullable Object> more,
      @Nullable Throwable cause) {
    super(message, cause);
    this.status = status;
    this.code = code;
    this.retryAfter = retryAfter;
    this.more = more;
  }

  /** An error that the client has to do something about. */
  public HttpFailure(int status, String code, String message) {
    this(status, code, message, Optional.empty(), Map.of(), null);
  }

  /** The request is not what it must be. */
  public static HttpFailure invalid(String message) {
    return new HttpFailure(400, "invalid_request", message);
  }

  /** The request asks for something that this server cannot do. */
  public static HttpFailure unsupported(String what) {
    return new HttpFailure(400, "unsupported", what + " is not supported yet");
  }

  /** It will be possible in a moment. */
  public static HttpFailure busy(String message) {
    return new HttpFailure(503, "unavailable", message, Optional.of(SOON), Map.of(), null);
  }

  /** With further fields for whoever reads them. */
  public HttpFailure with(Map<String, @Nullable Object> fields) {
    return new HttpFailure(status, code, String.valueOf(getMessage()), retryAfter, fields, this);
  }

  /** What a failure of the library means to a client. */
  public static HttpFailure of(Throwable thrown) {
    return switch (thrown) {
      case HttpFailure failure -> failure;
      case RequestException refusal -> of(refusal);
      case ModelException model ->
          new HttpFailure(
              switch (model.kind()) {
                case NOT_FOUND -> 404;
                case FETCH_FAILED -> 502;
                case FAILED -> 500;
                default -> 422;
              },
              "model_" + model.kind().name().toLowerCase(java.util.Locale.ROOT),
              words(model),
              Optional.empty(),
              Map.of(),
              model);
      case CacheException cache ->
          new HttpFailure(503, "cache", words(cache), Optional.of(SOON), Map.of(), cache);
      case IllegalArgumentException invalid -> invalid(words(invalid));
      default ->
          new HttpFailure(500, "internal", "The server failed", Optional.empty(), Map.of(), thrown);
    };
  }

  private static HttpFailure of(RequestException refusal) {
    int status =
        switch (refusal.kind()) {
          case INVALID, TOO_LONG -> 400;
          case WRONG_MODEL -> 404;
          case QUEUE_FULL -> 429;
          case FAILED -> 500;
          case NO_MODEL, NO_ROOM, TIME_LIMIT, CANCELLED, INTERRUPTED, CLOSED -> 503;
        };
    String code =
        switch (refusal.kind()) {
          case TOO_LONG -> "context_length_exceeded";
          case WRONG_MODEL -> "model_not_found";
          case QUEUE_FULL -> "rate_limit_exceeded";
          case INVALID -> "invalid_request";
          default -> "unavailable";
        };
    Optional<Duration> retryAfter =
        status == 503 || status == 429
            ? Optional.of(refusal.retryAfter().orElse(SOON))
            : Optional.empty();
    return new HttpFailure(status, code, words(refusal), retryAfter, Map.of(), refusal);
  }

  private static String words(Throwable thrown) {
    return thrown.getMessage() == null ? "It failed" : thrown.getMessage();
  }

  public int status() {
    return status;
  }

  /** Why, for programs. */
  public String code() {
    return code;
  }

  /** When asking again may help. */
  public Optional<Duration> retryAfter() {
    return retryAfter;
  }

  /** Further fields of the error. */
  public Map<String, @Nullable Object> more() {
    return more;
  }
}
