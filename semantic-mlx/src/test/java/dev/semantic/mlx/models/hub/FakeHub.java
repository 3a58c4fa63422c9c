package dev.semantic.mlx.models.hub;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A hub with one repository, and the storage that it redirects to for large files: two servers on
 * the loopback that speak what the real ones do, and fail as they are told.
 */
public final class FakeHub implements AutoCloseable {
  public static final String ID = "org/model";
  private static final Pattern RANGE = Pattern.compile("bytes=(\\d+)-(\\d+)");

  /** A request as it came. */
  public record Asked(
      boolean storage, String path, String query, Map<String, List<String>> headers) {
    public String header(String name) {
      return headers.getOrDefault(name, List.of("")).getFirst();
    }
  }

  /** Answers in the usual one's place. */
  @FunctionalInterface
  public interface Answer {
    void to(HttpExchange exchange) throws IOException;
  }

  /** Some of the next requests have another answer. */
  public static final class Trouble {
    private final Predicate<Asked> which;
    private final Answer answer;
    private final AtomicInteger left;
    private final AtomicInteger fired = new AtomicInteger();

    private Trouble(Predicate<Asked> which, int times, Answer answer) {
      this.which = which;
      this.answer = answer;
      this.left = new AtomicInteger(times);
    }

    /** How many requests it has hit. */
    public int fired() {
      return fired.get();
    }
  }

  private record Held(byte[] content, boolean large, String etag) {}

  private final HttpServer hub;
  private final HttpServer storage;
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final CountDownLatch closed = new CountDownLatch(1);
  private final Map<String, Held> files = new TreeMap<>();
  private final List<Trouble> troubles = new CopyOnWriteArrayList<>();
  public final List<Asked> asked = new CopyOnWriteArrayList<>();
  public volatile String commit = "0123456789abcdef0123456789abcdef01234567";
  public volatile int pageSize = 1000;
  public volatile boolean knowsRanges = true;
  public volatile String token = "";

  public FakeHub() throws IOException {
    hub = server(false);
    storage = server(true);
  }

  private HttpServer server(boolean isStorage) throws IOException {
    InetAddress loopback = InetAddress.getLoopbackAddress();
    HttpServer server = HttpServer.create(new InetSocketAddress(loopback, 0), 100);
    server.setExecutor(threads);
    server.createContext("/", exchange -> answer(exchange, isStorage));
    server.start();
    return server;
  }

  public URI endpoint() {
    return URI.create("http://localhost:" + hub.getAddress().getPort());
  }

  public InetSocketAddress address() {
    return hub.getAddress();
  }

  /** Puts a file of text into the repository. */
  public FakeHub file(String path, String content) throws IOException {
    return put(path, content.getBytes(StandardCharsets.UTF_8), false);
  }

  /** Puts a file into the repository that lies in the storage. */
  public FakeHub large(String path, byte[] content) throws IOException {
    return put(path, content, true);
  }

  private FakeHub put(String path, byte[] content, boolean large) throws IOException {
    Path temporary = Files.createTempFile("hub", "file");
    Files.write(temporary, content);
    String etag = Digests.of(temporary, large ? "f".repeat(64) : "f".repeat(40));
    Files.delete(temporary);
    files.put(path, new Held(content, large, etag));
    return this;
  }

  public String etag(String path) {
    return held(path).etag();
  }

  private Held held(String path) {
    Held held = files.get(path);
    if (held == null) {
      throw new IllegalArgumentException("The repository has no " + path);
    }
    return held;
  }

  /** The next requests of this kind get another answer. */
  public Trouble trouble(Predicate<Asked> which, int times, Answer answer) {
    Trouble trouble = new Trouble(which, times, answer);
    troubles.add(trouble);
    return trouble;
  }

  /** No request has another answer any more. */
  public void calm() {
    troubles.clear();
  }

  /** Requests for contents. */
  public List<Asked> contents() {
    return asked.stream()
        .filter(a -> a.storage() || (a.path().contains("/resolve/") && !held(name(a)).large()))
        .toList();
  }

  private static String name(Asked asked) {
    return asked.path().replaceFirst(".*/resolve/[^/]*/", "");
  }

  private void answer(HttpExchange exchange, boolean isStorage) throws IOException {
    URI uri = exchange.getRequestURI();
    Map<String, List<String>> headers = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
    headers.putAll(exchange.getRequestHeaders());
    Asked request = new Asked(isStorage, uri.getPath(), String.valueOf(uri.getQuery()), headers);
    asked.add(request);
    try (exchange) {
      for (Trouble trouble : troubles) {
        if (trouble.which.test(request) && trouble.left.getAndDecrement() > 0) {
          trouble.fired.incrementAndGet();
          trouble.answer.to(exchange);
          return;
        }
      }
      if (isStorage) {
        content(exchange, byEtag(request.path().substring(1)));
      } else {
        hub(exchange, request);
      }
    }
  }

  private Held byEtag(String etag) {
    return files.values().stream().filter(f -> f.etag().equals(etag)).findFirst().orElseThrow();
  }

  private void hub(HttpExchange exchange, Asked request) throws IOException {
    String path = request.path();
    if (!token.isEmpty() && !request.header("Authorization").equals("Bearer " + token)) {
      refuse(exchange, 401, "", "Invalid username or password.");
    } else if (path.startsWith("/api/models/" + ID + "/revision/")) {
      json(
          exchange,
          "{\"id\":\"%s\",\"sha\":\"%s\",\"tags\":[\"mlx\",\"license:mit\"],\"siblings\":[]}"
              .formatted(ID, commit));
    } else if (path.startsWith("/api/models/" + ID + "/tree/" + commit)) {
      tree(exchange, request);
    } else if (path.startsWith("/" + ID + "/resolve/" + commit + "/")) {
      resolve(exchange, held(name(request)));
    } else {
      refuse(exchange, 404, "RepoNotFound", "Repository not found");
    }
  }

  private void tree(HttpExchange exchange, Asked request) throws IOException {
    Matcher cursor = Pattern.compile("cursor=(\\d+)").matcher(request.query());
    int from = cursor.find() ? Integer.parseInt(cursor.group(1)) : 0;
    List<String> names = new ArrayList<>(files.keySet());
    int to = Math.min(from + pageSize, names.size());
    if (to < names.size()) {
      exchange
          .getResponseHeaders()
          .set("Link", "<%s%s?cursor=%d>; rel=\"next\"".formatted(endpoint(), request.path(), to));
    }
    List<String> entries = new ArrayList<>();
    for (String name : names.subList(from, to)) {
      entries.add(entry(name, held(name)));
    }
    json(exchange, "[" + String.join(",", entries) + "]");
  }

  private static String entry(String path, Held file) {
    String form = "{\"type\":\"file\",\"oid\":\"%s\",\"size\":%d,\"path\":\"%s\"%s}";
    int size = file.content().length;
    return file.large()
        ? form.formatted(
            "a".repeat(40),
            size,
            path,
            ",\"lfs\":{\"oid\":\"%s\",\"size\":%d,\"pointerSize\":134}"
                .formatted(file.etag(), size))
        : form.formatted(file.etag(), size, path, "");
  }

  private void resolve(HttpExchange exchange, Held file) throws IOException {
    exchange.getResponseHeaders().set("X-Repo-Commit", commit);
    if (!file.large()) {
      exchange.getResponseHeaders().set("ETag", "\"" + file.etag() + "\"");
      content(exchange, file);
      return;
    }
    exchange.getResponseHeaders().set("X-Linked-Etag", "\"" + file.etag() + "\"");
    exchange.getResponseHeaders().set("X-Linked-Size", Integer.toString(file.content().length));
    redirect(exchange, 302, storageUrl(file));
  }

  private String storageUrl(Held file) {
    return "http://localhost:%d/%s?signature=geheim"
        .formatted(storage.getAddress().getPort(), file.etag());
  }

  private void content(HttpExchange exchange, Held file) throws IOException {
    Matcher range = RANGE.matcher(String.valueOf(exchange.getRequestHeaders().getFirst("Range")));
    byte[] body = file.content();
    int status = 200;
    if (knowsRanges && range.matches()) {
      int from = Integer.parseInt(range.group(1));
      int to = Integer.parseInt(range.group(2));
      exchange
          .getResponseHeaders()
          .set("Content-Range", "bytes %d-%d/%d".formatted(from, to, body.length));
      body = Arrays.copyOfRange(body, from, to + 1);
      status = 206;
    }
    send(exchange, status, body, body.length);
  }

  private static void json(HttpExchange exchange, String text) throws IOException {
    byte[] body = text.getBytes(StandardCharsets.UTF_8);
    send(exchange, 200, body, body.length);
  }

  /** Sends so many bytes of what it says it will send. */
  public static void send(HttpExchange exchange, int status, byte[] body, int count)
      throws IOException {
    exchange.sendResponseHeaders(status, body.length == 0 ? -1 : body.length);
    OutputStream out = exchange.getResponseBody();
    out.write(body, 0, count);
    out.flush();
  }

  public static void redirect(HttpExchange exchange, int status, String to) throws IOException {
    exchange.getResponseHeaders().set("Location", to);
    exchange.sendResponseHeaders(status, -1);
  }

  /** An error in the hub's own form. */
  public static void refuse(HttpExchange exchange, int status, String code, String message)
      throws IOException {
    if (!code.isEmpty()) {
      exchange.getResponseHeaders().set("X-Error-Code", code);
    }
    exchange.getResponseHeaders().set("X-Error-Message", message);
    exchange.sendResponseHeaders(status, -1);
  }

  /** Sends what was asked for up to the middle, and ends the connection. */
  public Answer cut(String path) {
    return exchange -> {
      byte[] body = wanted(exchange, path);
      send(exchange, status(exchange), body, body.length / 2);
    };
  }

  /** Sends what was asked for up to the middle, and then nothing any more. */
  public Answer stall(String path) {
    return exchange -> {
      byte[] body = wanted(exchange, path);
      send(exchange, status(exchange), body, body.length / 2);
      try {
        closed.await(1, TimeUnit.MINUTES);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    };
  }

  /** Sends byte after byte, slowly, for as long as somebody reads. */
  public Answer drip(String path, Duration pause) {
    return exchange -> drip(exchange, wanted(exchange, path), pause);
  }

  /** The same with any body. */
  public Answer drip(byte[] body, Duration pause) {
    return exchange -> drip(exchange, body, pause);
  }

  private void drip(HttpExchange exchange, byte[] body, Duration pause) throws IOException {
    exchange.sendResponseHeaders(status(exchange), body.length);
    OutputStream out = exchange.getResponseBody();
    try {
      for (byte each : body) {
        out.write(each);
        out.flush();
        if (closed.await(pause.toMillis(), TimeUnit.MILLISECONDS)) {
          return;
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static int status(HttpExchange exchange) {
    return exchange.getRequestHeaders().containsKey("Range") ? 206 : 200;
  }

  private byte[] wanted(HttpExchange exchange, String path) {
    byte[] all = held(path).content();
    Matcher range = RANGE.matcher(String.valueOf(exchange.getRequestHeaders().getFirst("Range")));
    if (!range.matches()) {
      return all;
    }
    int from = Integer.parseInt(range.group(1));
    int to = Integer.parseInt(range.group(2));
    exchange
        .getResponseHeaders()
        .set("Content-Range", "bytes %d-%d/%d".formatted(from, to, all.length));
    return Arrays.copyOfRange(all, from, to + 1);
  }

  @Override
  public void close() {
    closed.countDown();
    hub.stop(0);
    storage.stop(0);
    threads.shutdownNow();
  }
}
