package dev.semantic.examples.testing;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** A hub on the loopback with one repository of small files, {@code org/tiny}. */
public final class TinyHub implements AutoCloseable {
  public static final String COMMIT = "0123456789abcdef0123456789abcdef01234567";

  private final HttpServer server;
  private final Map<String, String> files = new TreeMap<>();

  public TinyHub() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 10);
    server.createContext("/", this::answer);
    server.start();
    files.put("README.md", "---\nlicense: mit\n---\n");
    files.put("config.json", "{\"model_type\":\"llama\"}");
    files.put("tokenizer.json", "{}");
    files.put("model.safetensors", "weights");
  }

  public String endpoint() {
    return "http://localhost:" + server.getAddress().getPort();
  }

  private void answer(HttpExchange exchange) throws IOException {
    String path = exchange.getRequestURI().getPath();
    try (exchange) {
      if (path.startsWith("/api/models/org/tiny/revision/")) {
        send(exchange, "{\"sha\":\"" + COMMIT + "\"}");
      } else if (path.equals("/api/models/org/tiny/tree/" + COMMIT)) {
        send(
            exchange,
            files.entrySet().stream()
                .map(
                    f ->
                        "{\"type\":\"file\",\"path\":\"%s\",\"size\":%d,\"oid\":\"%s\"}"
                            .formatted(f.getKey(), f.getValue().length(), oid(f.getValue())))
                .collect(Collectors.joining(",", "[", "]")));
      } else if (path.startsWith("/org/tiny/resolve/" + COMMIT + "/")) {
        send(exchange, files.getOrDefault(path.replaceFirst(".*/", ""), ""));
      } else {
        exchange.getResponseHeaders().set("X-Error-Code", "RepoNotFound");
        exchange.sendResponseHeaders(404, -1);
      }
    }
  }

  private static void send(HttpExchange exchange, String text) throws IOException {
    byte[] body = text.getBytes(StandardCharsets.UTF_8);
    exchange.sendResponseHeaders(200, body.length);
    exchange.getResponseBody().write(body);
  }

  /** Git's name of a blob. */
  private static String oid(String content) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-1");
      String blob = "blob " + content.length() + "\0" + content;
      return HexFormat.of().formatHex(digest.digest(blob.getBytes(StandardCharsets.UTF_8)));
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError(e);
    }
  }

  @Override
  public void close() {
    server.stop(0);
  }
}
