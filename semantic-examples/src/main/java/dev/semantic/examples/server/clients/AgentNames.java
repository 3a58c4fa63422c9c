package dev.semantic.examples.server.clients;

import dev.semantic.examples.server.http.Caller;
import dev.semantic.examples.server.http.Fields;
import dev.semantic.examples.server.http.HttpFailure;
import dev.semantic.kv.AgentId;
import io.helidon.http.HeaderName;
import io.helidon.http.HeaderNames;
import io.helidon.webserver.http.ServerRequest;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Whose memory a request belongs to, as far as it says: by its headers, its user, or the key of its
 * prompt. Two API keys never name the same agent.
 */
final class AgentNames {
  private static final List<HeaderName> HEADERS =
      List.of(HeaderNames.create("X-Session-ID"), HeaderNames.create("X-Claude-Code-Session-Id"));
  private static final int LONGEST = 500;

  private AgentNames() {}

  /**
   * The agent of a request; empty if it names none.
   *
   * @throws HttpFailure 400 if that can be no name
   */
  static Optional<AgentId> of(ServerRequest request, Fields body) {
    Stream<String> headers =
        HEADERS.stream().flatMap(name -> request.headers().first(name).stream());
    Optional<String> user =
        body.text("user")
            .or(() -> body.object("metadata").flatMap(metadata -> metadata.text("user_id")));
    return Stream.of(headers, user.stream(), body.text("prompt_cache_key").stream())
        .flatMap(each -> each)
        .filter(name -> !name.isBlank())
        .findFirst()
        .map(name -> named(Caller.of(request), name));
  }

  /** An agent of this caller's. */
  static AgentId named(Caller caller, String name) {
    if (name.length() > LONGEST) {
      throw HttpFailure.invalid(
          "An agent's name may have %d characters; it has %d".formatted(LONGEST, name.length()));
    }
    if (name.chars().anyMatch(Character::isISOControl)
        || Arrays.asList(name.split("[/\\\\]", -1)).contains("..")) {
      throw HttpFailure.invalid("An agent's name must have no control characters, and no path");
    }
    return new AgentId(caller.key().isEmpty() ? name : caller.key() + ":" + name);
  }
}
