package dev.semantic.examples.server;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.semantic.examples.server.admin.SwapEvents;
import dev.semantic.generate.ChatMessage;
import dev.semantic.generate.Prompt;
import dev.semantic.model.ModelSpec;
import dev.semantic.registry.ModelRegistry;
import dev.semantic.scripted.Geometry;
import dev.semantic.scripted.Script;
import dev.semantic.scripted.ScriptedRuntime;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A server of scripted models on a port of its own, and a client. */
final class ServedModels implements AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();

  private static final List<Map<String, @Nullable Object>> AVAILABLE =
      List.of(Map.of("name", "alpha"), Map.of("name", "beta"));

  final Script script = new Script();
  final ScriptedRuntime runtime = new ScriptedRuntime(script);
  private final Deque<Integer> toSay = new ArrayDeque<>(); // bytes; -1 ends an answer
  final ModelRegistry registry;
  final Server server;
  private final HttpClient client = HttpClient.newHttpClient();

  ServedModels(ServerOptions options) {
    runtime.onLogits(all -> all.stream().map(this::said).toList());
    SwapEvents events = new SwapEvents();
    registry = ModelRegistry.builder(runtime).listener(events).build();
    server =
        Server.start(
            options,
            new Server.Served(registry, events, null, ServedModels::count, () -> AVAILABLE));
  }

  /** As scripted models render conversations: one token a byte. */
  private static int count(ModelSpec model, Prompt.Chat chat) {
    int tokens = 0;
    for (ChatMessage message : chat.messages()) {
      tokens += (message.role() + ": " + message.content() + "\n").length();
    }
    return tokens;
  }

  static ServedModels alpha(ServerOptions options) {
    ServedModels served = new ServedModels(options);
    served.registry.load(Geometry.ALPHA.id());
    return served;
  }

  /** The next answers of {@code alpha}, one after the other. */
  void say(String... answers) {
    synchronized (toSay) {
      for (String answer : answers) {
        for (byte each : answer.getBytes(StandardCharsets.UTF_8)) {
          toSay.add(each & 0xff);
        }
        toSay.add(-1);
      }
    }
  }

  /** Those of which the next token to say is the best; as they were where nothing is to be said. */
  private float[] said(float[] logits) {
    synchronized (toSay) {
      if (logits.length == 0 || toSay.isEmpty()) {
        return logits;
      }
      int next = toSay.removeFirst();
      float[] spoken = new float[logits.length];
      spoken[next < 0 ? 0 : 2 + next] = 100;
      return spoken;
    }
  }

  /** An answer. */
  record Reply(int status, HttpResponse<String> response) {
    JsonNode json() throws IOException {
      return JSON.readTree(response.body());
    }

    String header(String name) {
      return response.headers().firstValue(name).orElse("");
    }
  }

  /** A request with these names and values of headers in turn. */
  Reply ask(String method, String path, byte[] body, String... headers)
      throws IOException, InterruptedException {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.port() + path))
            .version(HttpClient.Version.HTTP_1_1)
            .method(method, HttpRequest.BodyPublishers.ofByteArray(body));
    if (headers.length > 0) {
      request.headers(headers);
    }
    HttpResponse<String> response =
        client.send(request.build(), HttpResponse.BodyHandlers.ofString());
    return new Reply(response.statusCode(), response);
  }

  Reply get(String path, String... headers) throws IOException, InterruptedException {
    return ask("GET", path, new byte[0], headers);
  }

  Reply post(String path, String body, String... headers) throws IOException, InterruptedException {
    return ask("POST", path, body.getBytes(StandardCharsets.UTF_8), headers);
  }

  /** What comes back of bytes that no client library would send. */
  String raw(String request) throws IOException {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.port())) {
      socket.setSoTimeout(20_000);
      socket.getOutputStream().write(request.getBytes(StandardCharsets.ISO_8859_1));
      socket.getOutputStream().flush();
      byte[] head = socket.getInputStream().readNBytes(12);
      return new String(head, StandardCharsets.ISO_8859_1);
    }
  }

  @Override
  public void close() {
    script.releaseAll();
    server.close();
    registry.close();
  }
}
