package dev.semantic.examples.server;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.semantic.examples.server.clients.ModelPolicy;
import dev.semantic.scripted.PortCall;
import dev.semantic.scripted.Script;
import java.io.BufferedReader;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What an admin may do over HTTP, and who is one. */
class AdminApiTest {
  private static final String TO_BETA = "{\"model\": \"beta\", \"wait\": true}";

  @Test
  void aSwapIsDoneAndRemembered() throws Exception {
    try (ServedModels served = ServedModels.alpha(ServerOptions.LOCAL)) {
      assertEquals("alpha", served.get("/admin/models/current").json().get("model").asText());
      ServedModels.Reply swapped = served.post("/admin/models/swap", TO_BETA);
      assertEquals(200, swapped.status(), swapped.response().body());
      assertEquals("swapped", swapped.json().get("outcome").asText());
      assertEquals("beta", served.get("/admin/models/current").json().get("model").asText());
      JsonNode status = served.get("/admin/models/status").json();
      assertEquals("success", status.get("status").asText());
      assertEquals(
          swapped.json().get("id"),
          served.get("/admin/swaps").json().get("swaps").get(1).get("id"));
      assertEquals("beta", served.get("/v1/models").json().get("data").get(0).get("id").asText());
    }
  }

  @Test
  void aSwapGoesOnWhileHealthIsAskedAndASecondIsRefused() throws Exception {
    try (ServedModels served = ServedModels.alpha(ServerOptions.LOCAL)) {
      Script.Hold hold = served.script.hold(PortCall.LOAD);
      ServedModels.Reply begun = served.post("/admin/models/swap", "{\"model\": \"beta\"}");
      assertEquals(202, begun.status());
      hold.awaitReached();
      String job = begun.header("Location");
      assertEquals("in_progress", served.get(job).json().get("status").asText());
      assertEquals(200, served.get("/health/live").status());
      assertEquals("in_progress", served.get("/admin/models/status").json().get("status").asText());
      assertEquals(409, served.post("/admin/models/swap", TO_BETA).status());
      hold.release();
      await().until(() -> served.get(job).json().get("status").asText().equals("success"));
      assertEquals(200, served.get("/health/ready").status());
    }
  }

  @Test
  void aCancelledSwapLeavesTheOldModel() throws Exception {
    try (ServedModels served = ServedModels.alpha(ServerOptions.LOCAL)) {
      Script.Hold hold = served.script.hold(PortCall.LOAD);
      String job = served.post("/admin/models/swap", "{\"model\": \"beta\"}").header("Location");
      hold.awaitReached();
      assertTrue(served.post("/admin/models/cancel", "").json().get("cancelled").asBoolean());
      hold.release();
      await().until(() -> served.get(job).json().get("status").asText().equals("failed"));
      assertEquals("alpha", served.get("/admin/models/current").json().get("model").asText());
    }
  }

  @Test
  void readinessSaysWhyNot() throws Exception {
    try (ServedModels served = new ServedModels(ServerOptions.LOCAL)) {
      ServedModels.Reply reply = served.get("/health/ready");
      assertEquals(503, reply.status());
      assertTrue(reply.json().get("reason").asText().contains("no model"), reply::toString);
      assertEquals(404, served.get("/admin/models/current").status());
      assertEquals(0, served.get("/v1/models").json().get("data").size());
    }
  }

  @Test
  void eventsTellTheSwap() throws Exception {
    try (ServedModels served = ServedModels.alpha(ServerOptions.LOCAL);
        InputStream in =
            URI.create("http://127.0.0.1:" + served.server.port() + "/admin/events")
                .toURL()
                .openStream();
        BufferedReader lines =
            new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8))) {
      awaitLine(lines, "event: status");
      served.post("/admin/models/swap", TO_BETA);
      awaitLine(lines, "event: planned");
      awaitLine(lines, "event: finished");
    }
  }

  private static void awaitLine(BufferedReader lines, String wanted) throws Exception {
    String line = "";
    while (line != null && !line.equals(wanted)) {
      line = lines.readLine();
    }
    assertEquals(wanted, line);
  }

  @Test
  void plansAndPreparationsTouchNothing() throws Exception {
    try (ServedModels served = ServedModels.alpha(ServerOptions.LOCAL)) {
      ServedModels.Reply plan = served.post("/admin/models/plan", "{\"model\": \"beta\"}");
      assertEquals("make_before_break", plan.json().get("strategy").asText());
      assertEquals(202, served.post("/admin/models/prepare", "{\"model\": \"beta\"}").status());
      await()
          .until(
              () ->
                  served
                      .get("/admin/models/prepare")
                      .json()
                      .get("status")
                      .asText()
                      .equals("success"));
      assertEquals("alpha", served.get("/admin/models/current").json().get("model").asText());
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "'{\"model\": \"nobody\", \"wait\": true}'; 404",
        "'{\"model\": \"\"}'; 400",
        "'{\"model\": 7}'; 400",
        "'{}'; 400",
        "'[]'; 400",
        "'null'; 400",
        "'{\"model\": '; 400",
        "'{\"model\": \"beta\", \"drain\": \"soon\"}'; 400",
        "'{\"model\": \"beta\", \"timeout\": -1}'; 400",
        "'{\"model\": \"beta\", \"timeout\": \"soon\"}'; 400",
        "''; 400"
      })
  void aSwapThatMakesNoSenseIsRefused(String body, int status) throws Exception {
    try (ServedModels served = ServedModels.alpha(ServerOptions.LOCAL)) {
      ServedModels.Reply reply = served.post("/admin/models/swap", body);
      assertEquals(status, reply.status(), reply.response().body());
      assertEquals("application/problem+json", reply.header("Content-Type"));
      assertEquals(status, reply.json().get("status").asInt());
      assertEquals("alpha", served.get("/admin/models/current").json().get("model").asText());
    }
  }

  @Test
  void theKeyIsAskedFor() throws Exception {
    ServerOptions options = ServerOptions.LOCAL.withKeys(Optional.of("secret"), List.of("client"));
    try (ServedModels served = ServedModels.alpha(options)) {
      String path = "/admin/models/status";
      assertEquals(401, served.get(path).status());
      assertEquals(401, served.get(path, "X-Admin-Key", "secre").status());
      assertEquals(401, served.get(path, "Authorization", "Bearer client").status());
      assertEquals(200, served.get(path, "X-Admin-Key", "secret").status());
      assertEquals(200, served.get(path, "Authorization", "bearer secret").status());
      assertEquals(401, served.get("/v1/models").status());
      assertEquals(401, served.get("/v1/models", "Authorization", "Bearer secret").status());
      assertEquals(200, served.get("/v1/models", "X-Api-Key", "client").status());
      assertEquals(200, served.get("/health/live").status());
    }
  }

  @Test
  void pagesOfOthersMayNotSwap() throws Exception {
    try (ServedModels served = ServedModels.alpha(ServerOptions.LOCAL)) {
      String swap = "/admin/models/swap";
      assertEquals(403, served.post(swap, TO_BETA, "Origin", "https://evil.example").status());
      assertEquals(403, served.post(swap, TO_BETA, "Origin", "null").status());
      assertEquals(403, served.post(swap, TO_BETA, "Sec-Fetch-Site", "cross-site").status());
      assertEquals(403, served.post(swap, TO_BETA, "X-Forwarded-For", "10.0.0.9").status());
      String rebound =
          "GET /admin/models/status HTTP/1.1\r\nHost: evil.example:%d\r\n\r\n"
              .formatted(served.server.port());
      assertEquals("HTTP/1.1 403", served.raw(rebound));
      assertEquals("alpha", served.get("/admin/models/current").json().get("model").asText());
      String own = "http://127.0.0.1:" + served.server.port();
      assertEquals(200, served.post(swap, TO_BETA, "Origin", own).status());
    }
  }

  @Test
  void oddRequestsAreRefusedAndTheServerGoesOn() throws Exception {
    try (ServedModels served = ServedModels.alpha(ServerOptions.LOCAL.withMaxBody(1000))) {
      byte[] noText = {'{', '"', (byte) 0xff, '"', ':', '1', '}'};
      assertEquals(400, served.ask("POST", "/admin/models/swap", noText).status());
      String deep = "{\"model\": " + "[".repeat(450);
      assertEquals(400, served.post("/admin/models/swap", deep).status());
      String large = "{\"model\": \"" + "a".repeat(2000) + "\"}";
      assertEquals(413, served.post("/admin/models/swap", large).status());
      assertEquals(404, served.get("/admin/caches/../../etc/passwd").status());
      assertEquals(404, served.get("/nothing").status());
      // Helidon looks at 24 bytes before it decides between HTTP/1.1 and 2.
      assertEquals("HTTP/1.1 400", served.raw("GET  HTTP/1.1\r\nHost: localhost\r\n\r\n"));
      assertEquals(200, served.get("/health/ready").status());
    }
  }

  @Test
  void aPublicServerNeedsKeys() {
    assertThrows(
        IllegalArgumentException.class,
        () ->
            new ServerOptions(
                "0.0.0.0",
                0,
                Optional.of("secret"),
                List.of(),
                false,
                ModelPolicy.REFUSE,
                Map.of(),
                1000,
                ServerOptions.LOCAL.maxWait()));
  }
}
