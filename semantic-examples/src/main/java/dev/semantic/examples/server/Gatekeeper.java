package dev.semantic.examples.server;

import dev.semantic.examples.server.http.HttpFailure;
import io.helidon.http.HeaderName;
import io.helidon.http.HeaderNames;
import io.helidon.http.ServerRequestHeaders;
import io.helidon.webserver.http.HttpRequest;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/** Says who may ask what: by keys, by where a request comes from, and by which page sent it. */
final class Gatekeeper {
  private static final HeaderName ADMIN_KEY = HeaderNames.create("X-Admin-Key");
  private static final HeaderName API_KEY = HeaderNames.create("X-Api-Key");
  private static final HeaderName FETCH_SITE = HeaderNames.create("Sec-Fetch-Site");
  private static final Set<String> LOCAL_NAMES = Set.of("localhost", "127.0.0.1", "[::1]");

  private final boolean local;
  private final Optional<byte[]> adminKey;
  private final List<byte[]> apiKeys;

  Gatekeeper(ServerOptions options) {
    local = options.isLocal();
    adminKey = options.adminKey().map(Gatekeeper::digest);
    apiKeys = options.apiKeys().stream().map(Gatekeeper::digest).toList();
  }

  /**
   * Lets a request in, or throws.
   *
   * @throws HttpFailure 401 without the right key, 403 if no key would help
   */
  void admit(HttpRequest request, String path) {
    requireHost(request);
    requireSameOrigin(request);
    if (path.equals("/admin") || path.startsWith("/admin/")) {
      requireAdmin(request);
    } else if (path.startsWith("/v1/")) {
      requireClient(request);
    }
  }

  /** Against pages whose own name was made to mean this machine. */
  private void requireHost(HttpRequest request) {
    String host = host(request.authority());
    if (local && !LOCAL_NAMES.contains(host)) {
      throw new HttpFailure(403, "forbidden", "This server is not called " + host);
    }
  }

  /** Browsers say which page made them ask; no other than our own may. */
  private static void requireSameOrigin(HttpRequest request) {
    ServerRequestHeaders headers = request.headers();
    boolean foreign =
        headers
            .first(HeaderNames.ORIGIN)
            .map(origin -> !authority(origin).equalsIgnoreCase(request.authority()))
            .orElseGet(
                () ->
                    headers
                        .first(FETCH_SITE)
                        .filter(site -> site.equals("cross-site") || site.equals("same-site"))
                        .isPresent());
    if (foreign) {
      throw new HttpFailure(403, "forbidden", "Pages of another origin may not ask this server");
    }
  }

  private void requireAdmin(HttpRequest request) {
    if (adminKey.isEmpty()) {
      boolean forwarded =
          Stream.of(HeaderNames.FORWARDED, HeaderNames.X_FORWARDED_FOR)
              .anyMatch(request.headers()::contains);
      if (forwarded || !isLoopback(request)) {
        throw new HttpFailure(
            403, "forbidden", "Without ADMIN_API_KEY only this machine's programs are admins");
      }
      return;
    }
    if (shown(request, ADMIN_KEY).noneMatch(shown -> equal(shown, adminKey.get()))) {
      throw new HttpFailure(
          401, "unauthorized", "Show the admin's key as X-Admin-Key, or as a bearer token");
    }
  }

  private void requireClient(HttpRequest request) {
    if (!apiKeys.isEmpty() && client(request).isEmpty()) {
      throw new HttpFailure(401, "invalid_api_key", "Show an API key as a bearer token");
    }
  }

  /** What tells one client's memory from another's; empty where there are no keys. */
  Optional<String> client(HttpRequest request) {
    return shown(request, API_KEY)
        .filter(shown -> apiKeys.stream().filter(key -> equal(shown, key)).count() > 0)
        .findFirst()
        .map(key -> java.util.HexFormat.of().formatHex(digest(key), 0, 8));
  }

  private static Stream<String> shown(HttpRequest request, HeaderName own) {
    Optional<String> bearer =
        request
            .headers()
            .first(HeaderNames.AUTHORIZATION)
            .filter(value -> value.regionMatches(true, 0, "Bearer ", 0, 7))
            .map(value -> value.substring(7).strip());
    return Stream.concat(request.headers().first(own).stream(), bearer.stream());
  }

  private static boolean isLoopback(HttpRequest request) {
    return request.remotePeer().address() instanceof InetSocketAddress peer
        && peer.getAddress() != null
        && peer.getAddress().isLoopbackAddress();
  }

  /** Takes the same time, however much of the key is right. */
  private static boolean equal(String shown, byte[] key) {
    return MessageDigest.isEqual(digest(shown), key);
  }

  private static byte[] digest(String key) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(key.getBytes(StandardCharsets.UTF_8));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("Every JVM has SHA-256", e);
    }
  }

  private static String host(String authority) {
    int port = authority.lastIndexOf(':');
    String host = port > authority.lastIndexOf(']') ? authority.substring(0, port) : authority;
    return host.toLowerCase(Locale.ROOT);
  }

  private static String authority(String origin) {
    try {
      String authority = new URI(origin).getRawAuthority();
      return authority == null ? "" : authority;
    } catch (URISyntaxException e) {
      return "";
    }
  }
}
