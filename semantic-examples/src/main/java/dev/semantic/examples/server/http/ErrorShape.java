package dev.semantic.examples.server.http;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** How an interface writes its errors. */
public enum ErrorShape {
  /** Problem details, RFC 9457. */
  PROBLEM,
  /** As OpenAI's clients expect them. */
  OPENAI,
  /** As Anthropic's clients expect them. */
  ANTHROPIC;

  private static final Pattern TOO_LONG = Pattern.compile("(\\d+) tokens; .* holds (\\d+), and");

  /** Which one a path's clients read. */
  public static ErrorShape of(String path) {
    if (path.startsWith("/v1/messages")) {
      return ANTHROPIC;
    }
    return path.startsWith("/v1/") ? OPENAI : PROBLEM;
  }

  public String mediaType() {
    return this == PROBLEM ? "application/problem+json" : Json.TYPE;
  }

  public Map<String, @Nullable Object> body(HttpFailure failure) {
    String message = String.valueOf(failure.getMessage());
    Map<String, @Nullable Object> fields = new LinkedHashMap<>();
    switch (this) {
      case PROBLEM -> {
        fields.put("type", "about:blank");
        fields.put("title", failure.code().replace('_', ' '));
        fields.put("status", failure.status());
        fields.put("detail", message);
        fields.putAll(failure.more());
      }
      case OPENAI -> {
        Map<String, @Nullable Object> error =
            Json.object("message", message, "type", openAiType(failure), "param", null);
        error.put("code", failure.code());
        fields.put("error", error);
      }
      case ANTHROPIC -> {
        Map<String, @Nullable Object> error =
            Json.object("type", anthropicType(failure), "message", anthropicMessage(failure));
        error.putAll(failure.more());
        fields.put("type", "error");
        fields.put("error", error);
      }
    }
    return fields;
  }

  /** Clients look for these very words where a conversation has become too long. */
  private static String anthropicMessage(HttpFailure failure) {
    String message = String.valueOf(failure.getMessage());
    Matcher numbers = TOO_LONG.matcher(message);
    return failure.code().equals("context_length_exceeded") && numbers.find()
        ? "prompt is too long: %s tokens > %s maximum".formatted(numbers.group(1), numbers.group(2))
        : message;
  }

  private static String openAiType(HttpFailure failure) {
    return switch (failure.status()) {
      case 401, 403 -> "authentication_error";
      case 429 -> "rate_limit_error";
      default -> failure.status() < 500 ? "invalid_request_error" : "server_error";
    };
  }

  private static String anthropicType(HttpFailure failure) {
    return switch (failure.status()) {
      case 401 -> "authentication_error";
      case 403 -> "permission_error";
      case 404 -> "not_found_error";
      case 413 -> "request_too_large";
      case 429 -> "rate_limit_error";
      case 503 -> "overloaded_error";
      default -> failure.status() < 500 ? "invalid_request_error" : "api_error";
    };
  }
}
