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
import java.util.List;
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

  /** Puts a model there that can be loaded: a llama of one layer whose weights are all zero. */
  public void offerWhole() {
    files.put(
        "config.json",
        """
        {"model_type":"llama","hidden_size":8,"num_hidden_layers":1,"intermediate_size":8,
         "num_attention_heads":1,"num_key_value_heads":1,"rms_norm_eps":1e-5,"vocab_size":8,
         "tie_word_embeddings":true,"max_position_embeddings":32}\
        """);
    StringBuilder header = new StringBuilder("{");
    int end = 0;
    String layer = "model.layers.0.";
    for (String name :
        List.of(
            "model.embed_tokens",
            layer + "self_attn.q_proj",
            layer + "self_attn.k_proj",
            layer + "self_attn.v_proj",
            layer + "self_attn.o_proj",
            layer + "mlp.gate_proj",
            layer + "mlp.up_proj",
            layer + "mlp.down_proj",
            layer + "input_layernorm",
            layer + "post_attention_layernorm",
            "model.norm")) {
      boolean norm = name.endsWith("norm");
      int begin = end;
      end += Float.BYTES * (norm ? 8 : 64);
      header.append(
          "\"%s.weight\":{\"dtype\":\"F32\",\"shape\":%s,\"data_offsets\":[%d,%d]},"
              .formatted(name, norm ? "[8]" : "[8,8]", begin, end));
    }
    header.setCharAt(header.length() - 1, '}');
    int length = (header.length() + 255) / 256 * 256; // so that its bytes are text, too
    header.append(" ".repeat(length - header.length()));
    files.put(
        "model.safetensors",
        "\0" + (char) (length / 256) + "\0".repeat(6) + header + "\0".repeat(end));
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
