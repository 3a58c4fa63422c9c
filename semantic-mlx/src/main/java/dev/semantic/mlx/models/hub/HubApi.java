package dev.semantic.mlx.models.hub;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.exc.StreamConstraintsException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.semantic.mlx.files.JsonText;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A hub's answers to what a repository is and which files it has. */
final class HubApi {
  private static final ObjectMapper JSON = new ObjectMapper(JsonText.WHOLE);
  private static final Pattern NEXT = Pattern.compile("<([^>]+)>\\s*;\\s*rel=\"?next\"?");
  private static final int MOST_BYTES = 32 << 20;
  private static final int MOST_PAGES = 1000;
  private static final Duration LONGEST = Duration.ofMinutes(5);
  private static final int LONGEST_LICENSE = 200;
  private static final int SHOWN = 100;
  private static final int MOST_FILES = 100_000;
  private static final long LARGEST_FILE = 1L << 44;

  private final HubHttp http;
  private final Retrying retrying;

  HubApi(HubHttp http, Retrying retrying) {
    this.http = http;
    this.retrying = retrying;
  }

  /** The repository at the commit that its revision stands for now. */
  Listing list(HubRepo repo) throws IOException, InterruptedException {
    JsonNode info = ask(repo, uri("/api/models/%s/revision/%s", repo.id(), repo.revision())).json();
    String commit = info.path("sha").asText();
    if (!HubRepo.isCommit(commit)) {
      throw HubException.lasting(
          "%s says of %s no commit; is it a hub?".formatted(HubHttp.shown(http.endpoint()), repo));
    }
    return new Listing(repo, commit, license(info), files(repo, commit));
  }

  private static Optional<String> license(JsonNode info) {
    JsonNode card = info.path("cardData").path("license");
    if (card.isTextual()) {
      return named(card.asText());
    }
    String tag = "license:";
    for (JsonNode each : info.path("tags")) {
      if (each.asText().startsWith(tag)) {
        return named(each.asText().substring(tag.length()));
      }
    }
    return Optional.empty();
  }

  private static Optional<String> named(String license) {
    return Optional.of(HubException.plain(license)).filter(l -> l.length() <= LONGEST_LICENSE);
  }

  private List<RemoteFile> files(HubRepo repo, String commit)
      throws IOException, InterruptedException {
    List<RemoteFile> files = new ArrayList<>();
    Optional<URI> page =
        Optional.of(uri("/api/models/%s/tree/%s?recursive=true", repo.id(), commit));
    for (int pages = 0; page.isPresent(); pages++) {
      if (pages == MOST_PAGES) {
        throw HubException.lasting("the hub's list of " + repo + " does not end");
      }
      Page listed = ask(repo, page.get());
      for (JsonNode entry : listed.json()) {
        if (entry.path("type").asText().equals("file")) {
          files.add(file(repo, entry));
        }
      }
      if (files.size() > MOST_FILES) {
        throw HubException.lasting(repo + " has more than " + MOST_FILES + " files");
      }
      page = listed.next();
    }
    return files;
  }

  private static RemoteFile file(HubRepo repo, JsonNode entry) throws HubException {
    String path = entry.path("path").asText();
    if (!HubRepo.isPlain(path)) {
      throw HubException.lasting(
          "the hub's list of %s has a file that would lie outside of the model: %s"
              .formatted(repo, path.substring(0, Math.min(path.length(), SHOWN))));
    }
    JsonNode large = entry.path("lfs");
    String etag = large.path("oid").asText(entry.path("oid").asText());
    long size = large.path("size").asLong(entry.path("size").asLong(-1));
    if (!Digests.isEtag(etag) || size < 0 || size > LARGEST_FILE) {
      throw HubException.lasting(
          "the hub's list of %s has no checksum or size for %s that can be true"
              .formatted(repo, path));
    }
    return new RemoteFile(path, size, etag);
  }

  /** The address of a file's content. */
  URI content(Listing listing, RemoteFile file) {
    return uri("/%s/resolve/%s/%s", listing.repo().id(), listing.commit(), file.path());
  }

  private URI uri(String form, String id, String... more) {
    Object[] words = new Object[more.length + 1];
    words[0] = id;
    for (int i = 0; i < more.length; i++) {
      boolean revision = form.contains("revision") && i == 0;
      words[i + 1] = revision ? escape(more[i]) : escape(more[i]).replace("%2F", "/");
    }
    return URI.create(http.endpoint() + form.formatted(words));
  }

  private static String escape(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
  }

  private record Page(JsonNode json, Optional<URI> next) {}

  private Page ask(HubRepo repo, URI uri) throws IOException, InterruptedException {
    return retrying.call(
        uri,
        () -> {
          try (HubHttp.Reply reply = http.get(uri, Map.of("Accept", "application/json"))) {
            if (reply.status() != 200) {
              throw HttpErrors.of(reply, repo, uri.getPath(), http);
            }
            return new Page(read(reply), next(reply));
          }
        });
  }

  /** Few values of many bytes and many values of few bytes are both too much. */
  private JsonNode read(HubHttp.Reply reply) throws IOException, InterruptedException {
    byte[] text;
    try (InputStream body = reply.body()) {
      text = retrying.read(body, MOST_BYTES + 1, LONGEST);
    }
    String place = HubHttp.shown(reply.from());
    if (text.length > MOST_BYTES) {
      throw HubException.lasting(place + " sends more than " + MOST_BYTES + " bytes");
    }
    try {
      return JSON.readTree(text);
    } catch (StreamConstraintsException e) {
      throw HubException.lasting(place + " sends more values than an answer may have", e);
    } catch (JsonProcessingException e) {
      throw HubException.lasting(place + " sends what is no JSON; is it a hub?", e);
    }
  }

  private Optional<URI> next(HubHttp.Reply reply) throws HubException {
    for (String link : reply.headers().allValues("Link")) {
      Matcher next = NEXT.matcher(link);
      if (next.find()) {
        URI uri = reply.from().resolve(next.group(1));
        if (!http.isHub(uri)) {
          throw HubException.lasting("the hub's list goes on elsewhere: " + HubHttp.shown(uri));
        }
        return Optional.of(uri);
      }
    }
    return Optional.empty();
  }
}
