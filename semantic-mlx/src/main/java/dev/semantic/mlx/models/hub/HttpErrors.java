package dev.semantic.mlx.models.hub;

import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.UnknownHostException;
import java.net.http.HttpConnectTimeoutException;
import java.nio.channels.UnresolvedAddressException;
import java.security.cert.CertificateException;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What a hub's refusals mean, and what to do about each. */
final class HttpErrors {
  private static final Set<Integer> PASSING = Set.of(408, 425, 500, 502, 503, 504);
  private static final Pattern RESET = Pattern.compile("[^,]*;\\s*r=0\\s*;\\s*t=(\\d{1,9}).*");
  private static final int MESSAGE = 200;

  private HttpErrors() {}

  /** Nothing answered. */
  static HubException unreachable(URI uri, Throwable why) {
    String host = uri.getHost();
    if (isUnknown(why)) {
      return HubException.lasting(
          "there is no host %s, or no network to ask for it; HF_ENDPOINT names another hub, a proxy is taken from https_proxy"
              .formatted(host),
          why);
    }
    Optional<String> distrust = distrust(why);
    if (distrust.isPresent()) {
      return HubException.lasting(
          "%s has a certificate that is not trusted (%s). If a proxy of yours reads along, add its certificate to the JVM's by -Djavax.net.ssl.trustStore"
              .formatted(host, distrust.get()),
          why);
    }
    String what =
        why instanceof ConnectException || why instanceof HttpConnectTimeoutException
            ? " cannot be reached; is the network up, and is a proxy needed (https_proxy)?"
            : " broke the connection (" + message(why) + ")";
    return HubException.passing(HubHttp.shown(uri) + what, why);
  }

  private static boolean isUnknown(Throwable why) {
    for (Throwable t = why; t != null; t = t.getCause()) {
      if (t instanceof UnresolvedAddressException || t instanceof UnknownHostException) {
        return true;
      }
    }
    return false;
  }

  private static Optional<String> distrust(Throwable why) {
    for (Throwable t = why; t != null; t = t.getCause()) {
      if (t instanceof CertificateException) {
        return Optional.of(message(t));
      }
    }
    return Optional.empty();
  }

  static String message(Throwable why) {
    return why.getMessage() == null ? why.getClass().getSimpleName() : why.getMessage();
  }

  /** An answer that is none of the good ones. */
  static HubException of(HubHttp.Reply reply, HubRepo repo, String what, HubHttp http) {
    int status = reply.status();
    String place = HubHttp.shown(reply.from());
    if (status == 429) {
      return HubException.busy(place + " is asked too often (429)", pause(reply));
    }
    if (PASSING.contains(status)) {
      return HubException.busy("%s failed (%d)".formatted(place, status), pause(reply));
    }
    if (status == 407) {
      return HubException.lasting(
          "the proxy wants a name and a password (407), and none are sent to proxies; name one in"
              + " https_proxy that wants none, for example one of your own that logs in");
    }
    if (!http.isHub(reply.from())) {
      return HubException.passing("%s refuses it (%d)".formatted(place, status), null);
    }
    return HubException.lasting(explain(reply, repo, what, http));
  }

  private static String explain(HubHttp.Reply reply, HubRepo repo, String what, HubHttp http) {
    String code = reply.header("X-Error-Code").orElse("");
    String said = reply.header("X-Error-Message").map(HttpErrors::clean).orElse("");
    String page = http.endpoint() + "/" + repo.id();
    int status = reply.status();
    if (code.equals("GatedRepo") || said.contains("restricted") || said.contains("gated")) {
      return http.hasToken()
          ? "%s is gated (%d): accept its conditions at %s with the account that the token is of"
              .formatted(repo.id(), status, page)
          : "%s is gated (%d): accept its conditions at %s, then set HF_TOKEN to a token of that account"
              .formatted(repo.id(), status, page);
    }
    if (code.equals("RevisionNotFound")) {
      return "%s has no revision %s (%d); %s lists its branches and tags"
          .formatted(repo.id(), repo.revision(), status, page + "/tree/main");
    }
    return switch (status) {
      case 401 ->
          http.hasToken()
              ? "the hub does not accept the token (401%s): is it expired? It is taken from HF_TOKEN, or from the file that 'hf auth login' writes"
                  .formatted(said.isEmpty() ? "" : ", " + said)
              : "there is no repository %s, or it is private and no token is set (401): look at the spelling, or set HF_TOKEN"
                  .formatted(repo.id());
      case 403 ->
          "the token may not read %s (403%s): give it that right, or use another one"
              .formatted(repo.id(), said.isEmpty() ? "" : ", " + said);
      case 404 ->
          code.equals("EntryNotFound")
              ? "%s has no file %s (404)".formatted(repo, what)
              : "there is no repository %s on %s%s (404)"
                  .formatted(
                      repo.id(),
                      http.endpoint().getHost(),
                      http.hasToken() ? " that this token may see" : "");
      default ->
          "%s answers with %d%s"
              .formatted(HubHttp.shown(reply.from()), status, said.isEmpty() ? "" : ": " + said);
    };
  }

  private static String clean(String said) {
    String plain = HubException.plain(said.replaceAll("\\p{Cc}+", " ")).strip();
    return plain.length() <= MESSAGE ? plain : plain.substring(0, MESSAGE) + "…";
  }

  /** {@code Retry-After} in seconds or as a date, or {@code RateLimit: "api";r=0;t=55}. */
  private static Optional<Duration> pause(HubHttp.Reply reply) {
    return reply
        .header("Retry-After")
        .flatMap(HttpErrors::retryAfter)
        .or(
            () ->
                reply
                    .header("RateLimit")
                    .map(RESET::matcher)
                    .filter(Matcher::matches)
                    .map(reset -> Duration.ofSeconds(Long.parseLong(reset.group(1)))))
        .map(pause -> pause.isNegative() ? Duration.ZERO : pause);
  }

  private static Optional<Duration> retryAfter(String value) {
    String text = value.strip();
    if (text.matches("\\d{1,9}")) {
      return Optional.of(Duration.ofSeconds(Long.parseLong(text)));
    }
    try {
      Instant when = ZonedDateTime.parse(text, DateTimeFormatter.RFC_1123_DATE_TIME).toInstant();
      return Optional.of(Duration.between(Instant.now(), when));
    } catch (DateTimeException e) {
      return Optional.empty();
    }
  }

  /** Any failure as one that knows whether it passes. */
  static HubException of(IOException failure, URI uri) {
    return failure instanceof HubException known
        ? known
        : HubException.passing(
            "%s broke the connection (%s)".formatted(HubHttp.shown(uri), message(failure)),
            failure);
  }
}
