package dev.semantic.examples.server.http;

import io.helidon.webserver.http.ServerRequest;

/**
 * Who asks.
 *
 * @param key tells one API key from another, and not what it is; empty where nobody has to show one
 */
public record Caller(String key) {
  private static final Caller ANYBODY = new Caller("");

  /** Whose request it is. */
  public static Caller of(ServerRequest request) {
    return request.context().get(Caller.class).orElse(ANYBODY);
  }
}
