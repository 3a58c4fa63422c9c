package dev.semantic.mlx.models.hub;

import java.io.IOException;
import java.io.InputStream;
import java.net.ProxySelector;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.zip.GZIPInputStream;

/**
 * Requests to a hub and to where it redirects. The token goes to the hub itself and to nobody else;
 * neither it nor the query of an address, in which storage servers have theirs, is ever part of a
 * message. Any thread.
 */
final class HubHttp implements AutoCloseable {
  private static final Duration CONNECT = Duration.ofSeconds(10);
  private static final int REDIRECTS = 8;
  private static final Set<Integer> MOVED = Set.of(301, 302, 303, 307, 308);

  private final URI endpoint;
  private final Optional<String> token;
  private final Duration silence;
  private final HttpClient client;
  private final ReadTimeout timeout;

  HubHttp(URI endpoint, Optional<String> token, ProxySelector proxies, Duration silence) {
    this.endpoint = endpoint;
    this.token = token;
    this.silence = silence;
    this.timeout = new ReadTimeout(silence);
    this.client =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1) // ranges are parallel in connections of their own
            .followRedirects(HttpClient.Redirect.NEVER)
            .connectTimeout(CONNECT)
            .proxy(proxies)
            .build();
  }

  /**
   * What came back at the end of the redirects; to be closed.
   *
   * @param from the address that answered
   * @param hub the first answer's headers, which are the hub's own
   * @param unpacked whether the body is longer than what came
   */
  record Reply(
      int status,
      URI from,
      HttpHeaders hub,
      HttpHeaders headers,
      InputStream body,
      boolean unpacked)
      implements AutoCloseable {
    /** How long the body says it is; empty if it doesn't. */
    OptionalLong length() {
      return unpacked ? OptionalLong.empty() : headers.firstValueAsLong("Content-Length");
    }

    Optional<String> header(String name) {
      return headers.firstValue(name);
    }

    @Override
    public void close() throws IOException {
      body.close();
    }
  }

  boolean hasToken() {
    return token.isPresent();
  }

  URI endpoint() {
    return endpoint;
  }

  /** Whether an address is the hub's own. */
  boolean isHub(URI uri) {
    return endpoint.getScheme().equalsIgnoreCase(uri.getScheme())
        && endpoint.getHost().equalsIgnoreCase(uri.getHost())
        && port(endpoint) == port(uri);
  }

  private static int port(URI uri) {
    if (uri.getPort() >= 0) {
      return uri.getPort();
    }
    return "https".equalsIgnoreCase(uri.getScheme()) ? 443 : 80;
  }

  /** An address as messages may have it. */
  static String shown(URI uri) {
    int port = uri.getPort();
    return uri.getScheme() + "://" + uri.getHost() + (port < 0 ? "" : ":" + port) + uri.getPath();
  }

  /**
   * Asks, wherever that leads.
   *
   * @param headers besides the usual ones
   * @throws HubException if nothing answers
   */
  Reply get(URI address, Map<String, String> headers) throws IOException, InterruptedException {
    URI uri = address;
    HttpHeaders first = null;
    for (int i = 0; i <= REDIRECTS; i++) {
      HttpResponse<InputStream> response = exchange(uri, headers);
      first = first == null ? response.headers() : first;
      if (!MOVED.contains(response.statusCode())) {
        InputStream body = timeout.over(response.body());
        return reply(response, uri, first, body);
      }
      response.body().close();
      uri = target(uri, response.headers().firstValue("Location"));
    }
    throw HubException.lasting(shown(address) + " redirects without end");
  }

  /** Some proxies compress what nobody has asked them to; of a part of a file that is no use. */
  private static Reply reply(
      HttpResponse<InputStream> response, URI uri, HttpHeaders first, InputStream body)
      throws IOException {
    int status = response.statusCode();
    String coding = response.headers().firstValue("Content-Encoding").orElse("identity");
    if (status >= 300 || coding.equalsIgnoreCase("identity")) {
      return new Reply(status, uri, first, response.headers(), body, false);
    }
    if (status != 200 || !coding.equalsIgnoreCase("gzip")) {
      body.close();
      throw HubException.lasting(
          "%s sends the file in another coding (%s) than was asked for; is there a proxy that alters what passes?"
              .formatted(shown(uri), coding.replaceAll("[^\\w-]", "?")));
    }
    InputStream plain = new GZIPInputStream(body);
    return new Reply(status, uri, first, response.headers(), plain, true);
  }

  private HttpResponse<InputStream> exchange(URI uri, Map<String, String> headers)
      throws IOException, InterruptedException {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(uri)
            .header("User-Agent", "semantic")
            .header("Accept-Encoding", "identity"); // sizes and ranges are the file's own
    headers.forEach(request::header);
    if (isHub(uri)) {
      token.ifPresent(secret -> request.header("Authorization", "Bearer " + secret));
    }
    // Not the request's own timeout: that may count the body, which takes as long as it takes.
    CompletableFuture<HttpResponse<InputStream>> answer =
        client.sendAsync(request.build(), HttpResponse.BodyHandlers.ofInputStream());
    try {
      return answer.get(CONNECT.plus(silence).toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      throw HubException.passing(shown(uri) + " does not answer", e);
    } catch (ExecutionException e) {
      throw HttpErrors.unreachable(uri, Objects.requireNonNull(e.getCause()));
    } finally {
      answer.cancel(true); // nothing, where it has come
    }
  }

  /** Where a redirect leads. */
  static URI target(URI from, Optional<String> to) throws HubException {
    String location =
        to.orElseThrow(() -> HubException.lasting(shown(from) + " redirects to nowhere"));
    return webAddress(from, location);
  }

  private static URI webAddress(URI from, String location) throws HubException {
    URI to;
    try {
      to = from.resolve(location);
    } catch (IllegalArgumentException e) {
      throw HubException.lasting(shown(from) + " redirects to what is no address");
    }
    boolean http = "http".equalsIgnoreCase(to.getScheme());
    boolean https = "https".equalsIgnoreCase(to.getScheme());
    if (to.getHost() == null || !(http || https)) {
      throw HubException.lasting(shown(from) + " redirects to what is no web address");
    }
    if (http && "https".equalsIgnoreCase(from.getScheme())) {
      throw HubException.lasting(
          "%s redirects to %s, which is not encrypted".formatted(shown(from), shown(to)));
    }
    return to;
  }

  @Override
  public void close() {
    timeout.close();
    client.shutdownNow();
  }
}
