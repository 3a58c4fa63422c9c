package dev.semantic.mlx.models.hub;

import static dev.semantic.mlx.testing.Refusal.assertRefused;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.mlx.models.hub.FakeHub.Asked;
import dev.semantic.mlx.models.hub.FakeHub.Trouble;
import dev.semantic.scripted.Elsewhere;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Connections that break, servers that are busy, and bytes that are not those that were meant. */
class HubFailuresTest extends HubTest {
  private static final String FILE = "model.safetensors";
  private static final Predicate<Asked> STORAGE = Asked::storage;

  private Path assertFetched() throws Exception {
    Path snapshot = fetch("org/model");
    assertArrayEquals(weights, Files.readAllBytes(snapshot.resolve(FILE)));
    assertEquals(List.of(), halfDone());
    return snapshot;
  }

  @Test
  void aConnectionThatIsCutGoesOnWhereItWas() throws Exception {
    aModel();
    Trouble cut = hub.trouble(STORAGE, 1, hub.cut(FILE));
    assertFetched();
    assertEquals(1, cut.fired());
    assertEquals(List.of(Duration.ofSeconds(1)), slept);
    List<Asked> ranges = hub.asked.stream().filter(STORAGE).toList();
    assertEquals(4, ranges.size());
    assertEquals(
        1,
        ranges.stream()
            .filter(r -> !r.header("Range").matches("bytes=(0|8388608|16777216)-.*"))
            .count(),
        "one goes on in the middle");
  }

  @Test
  void cutsWithoutEndAreNoneAsLongAsBytesCome() throws Exception {
    aModel();
    Trouble cut = hub.trouble(STORAGE, 12, hub.cut(FILE));
    assertFetched();
    assertEquals(12, cut.fired());
  }

  @Test
  void aFetchThatBrokeOffGoesOnInTheNext() throws Exception {
    aModel();
    Trouble ending =
        hub.trouble(
            a -> a.storage() && a.header("Range").startsWith("bytes=16777216-"),
            99,
            e -> {
              await().until(() -> meter.moved >= 16 << 20); // the two others are here
              e.sendResponseHeaders(500, -1);
            });
    assertRefused(
        IOException.class, () -> fetch("org/model"), "failed (500)", "4 attempts", "kept");
    assertTrue(ending.fired() >= 4, ending::toString);
    assertNothingPublished();
    Path begun = cache.repository(FakeHub.ID);
    assertTrue(Files.isDirectory(begun.resolve("snapshots")), "Python's tools warn without it");
    assertEquals(2, halfDone().size(), "the file and how far it has come");
    long before = meter.moved;
    assertTrue(before >= 16 << 20, "some of it came: " + before);
    hub.close();
    open();
    aModel();
    assertFetched();
    List<Asked> ranges = hub.asked.stream().filter(STORAGE).toList();
    assertEquals(1, ranges.size(), "not all of it again");
  }

  @Test
  void aBodyThatStopsComingIsAskedForAgain() throws Exception {
    silence = Duration.ofSeconds(1);
    aModel();
    Trouble stall = hub.trouble(STORAGE, 1, hub.stall(FILE));
    assertFetched();
    assertEquals(1, stall.fired());
    assertTrue(meter.waits.getFirst().contains("nothing for"), meter.waits::toString);
  }

  /** A server that sends a byte now and then is silent, whatever it sends. */
  @Test
  void aServerThatOnlyDripsIsGivenUp() throws Exception {
    silence = Duration.ofMillis(400);
    aModel();
    Trouble content = hub.trouble(STORAGE, 99, hub.drip(FILE, Duration.ofMillis(50)));
    assertRefused(IOException.class, () -> fetch("org/model"), "sent only", "given up");
    assertTrue(content.fired() >= 4, content::toString);
    hub.calm();
    byte[] endless = " ".repeat(100_000).getBytes(StandardCharsets.UTF_8);
    Trouble list =
        hub.trouble(a -> a.path().contains("/tree/"), 99, hub.drip(endless, Duration.ofMillis(50)));
    assertRefused(IOException.class, () -> fetch("org/model"), "sent only", "given up");
    assertEquals(4, list.fired());
    hub.calm();
    assertFetched();
  }

  @Test
  void aFetchIsCalledOffWhileAServerDrips() throws Exception {
    aModel();
    byte[] endless = " ".repeat(100_000).getBytes(StandardCharsets.UTF_8);
    Trouble list =
        hub.trouble(a -> a.path().contains("/tree/"), 99, hub.drip(endless, Duration.ofMillis(50)));
    var fetching = Elsewhere.call(() -> fetch("org/model"));
    await().until(() -> list.fired() == 1);
    meter.cancelAfter = -1;
    assertThrows(CancellationException.class, () -> fetching.get(20, TimeUnit.SECONDS));
  }

  @Test
  void aServerThatKnowsNoRangesSendsTheWholeFileOnce() throws Exception {
    hub.knowsRanges = false;
    aModel();
    Trouble cut = hub.trouble(STORAGE, 1, e -> FakeHub.send(e, 200, weights, 1 << 20));
    assertFetched();
    assertEquals(1, cut.fired());
    assertEquals(meter.total, meter.moved);
  }

  @Test
  void aSignatureThatRanOutIsAskedForAgain() throws Exception {
    aModel();
    Trouble expired = hub.trouble(STORAGE, 1, e -> e.sendResponseHeaders(403, -1));
    assertFetched();
    assertEquals(1, expired.fired());
  }

  @ParameterizedTest
  @CsvSource({
    "Retry-After, 7, 7",
    "RateLimit, '\"api\";r=0;t=55', 55",
    "X-Nothing, 0, 1",
    "Retry-After, 'Wed, 21 Oct 2015 07:28:00 GMT', 0"
  })
  void aBusyHubIsWaitedFor(String header, String value, int seconds) throws Exception {
    aModel();
    Trouble busy =
        hub.trouble(
            a -> a.path().contains("/tree/"),
            1,
            e -> {
              e.getResponseHeaders().set(header, value);
              e.sendResponseHeaders(429, -1);
            });
    assertFetched();
    assertEquals(1, busy.fired());
    assertEquals(List.of(Duration.ofSeconds(seconds)), slept);
  }

  @Test
  void pausesGrowAndEnd() throws Exception {
    aModel();
    hub.trouble(a -> a.path().contains("/revision/"), 99, e -> e.sendResponseHeaders(503, -1));
    assertRefused(IOException.class, () -> fetch("org/model"), "503", "4 attempts");
    assertEquals(List.of(1L, 2L, 4L), slept.stream().map(Duration::toSeconds).toList());
    assertFalse(Files.exists(cache.repository(FakeHub.ID)), "no trace of a repository");
  }

  @Test
  void whoIsAskedToWaitForAnHourGivesUp() throws Exception {
    aModel();
    hub.trouble(
        a -> a.path().contains("/revision/"),
        99,
        e -> {
          e.getResponseHeaders().set("Retry-After", "3600");
          e.sendResponseHeaders(429, -1);
        });
    assertRefused(IOException.class, () -> fetch("org/model"), "429", "asks for 3600 s");
    assertEquals(List.of(), slept);
  }

  @Test
  void aWrongChecksumLeavesNothing() throws Exception {
    aModel();
    byte[] other = weights.clone();
    other[12_345_678] ^= 1;
    hub.knowsRanges = false;
    AtomicBoolean damaged = new AtomicBoolean(true);
    Trouble wrong =
        hub.trouble(
            a -> a.storage() && damaged.get(), 3, e -> FakeHub.send(e, 200, other, other.length));
    assertRefused(
        IOException.class,
        () -> fetch("org/model"),
        FILE,
        "SHA-256",
        hub.etag(FILE),
        "fetch again");
    assertTrue(wrong.fired() >= 1, "nothing was damaged");
    damaged.set(false);
    assertEquals(List.of(), halfDone());
    assertNothingPublished();
    assertFetched();
  }

  @Test
  void aSmallFilesChecksumIsGits() throws Exception {
    aModel();
    Trouble wrong =
        hub.trouble(
            a -> a.path().endsWith("/config.json"),
            1,
            e ->
                FakeHub.send(
                    e, 200, "{\"model_type\":\"lllma\"}".getBytes(StandardCharsets.UTF_8), 22));
    assertRefused(IOException.class, () -> fetch("org/model"), "config.json", "Git blob id");
    assertEquals(1, wrong.fired());
    assertNothingPublished();
  }

  @Test
  void anotherLengthIsRefused() throws Exception {
    aModel();
    hub.knowsRanges = false;
    hub.trouble(STORAGE, 1, e -> FakeHub.send(e, 200, new byte[100], 100));
    assertRefused(IOException.class, () -> fetch("org/model"), "sends 100 bytes", "20971520");
    assertNothingPublished();
  }

  @Test
  void anotherRangeIsRefused() throws Exception {
    aModel();
    hub.trouble(
        STORAGE,
        1,
        e -> {
          e.getResponseHeaders().set("Content-Range", "bytes 5-9/20971520");
          FakeHub.send(e, 206, new byte[5], 5);
        });
    assertRefused(IOException.class, () -> fetch("org/model"), "another range", "bytes 5-9");
    assertNothingPublished();
  }

  @Test
  void aFileThatIsShorterThanListedIsNotGoneOnWith() throws Exception {
    aModel();
    hub.trouble(STORAGE, 1, e -> e.sendResponseHeaders(416, -1));
    assertRefused(IOException.class, () -> fetch("org/model"), FILE, "416", "fetch again");
    assertNothingPublished();
  }

  @Test
  void aHubThatListsOneFileAndServesAnotherIsRefused() throws Exception {
    aModel();
    hub.trouble(
        a -> a.path().endsWith(FILE),
        1,
        e -> {
          e.getResponseHeaders().set("X-Linked-Etag", "\"" + "0".repeat(64) + "\"");
          FakeHub.send(e, 200, weights, weights.length);
        });
    assertRefused(IOException.class, () -> fetch("org/model"), "X-Linked-Etag", "serves it with");
  }

  @ParameterizedTest
  @CsvSource({
    "401, '', '', '', no repository org/model, HF_TOKEN",
    "401, '', Invalid credentials in Authorization header, hf_x, does not accept the token,"
        + " expired",
    "401, GatedRepo, 'Access to model org/model is restricted.', '', is gated, then set HF_TOKEN",
    "403, GatedRepo, 'Access to model org/model is restricted.', hf_x, is gated, accept its"
        + " conditions",
    "403, '', Forbidden, hf_x, the token may not read org/model, Forbidden",
    "404, RepoNotFound, Repository not found, '', no repository org/model, 404",
    "404, RevisionNotFound, Invalid rev id, '', no revision main, branches"
  })
  void aRefusalSaysWhich(
      int status, String code, String message, String secret, String first, String second)
      throws Exception {
    aModel();
    token = secret;
    hub.trouble(a -> true, 1, e -> FakeHub.refuse(e, status, code, message));
    Exception refused = assertRefused(IOException.class, () -> fetch("org/model"), first, second);
    for (Throwable t = refused; t != null; t = t.getCause()) {
      assertFalse(String.valueOf(t).contains("hf_x"), () -> "a token in " + refused);
    }
    assertEquals(List.of(), slept, "asking again would not help");
    assertFalse(Files.exists(cache.repository(FakeHub.ID)), "no trace of a repository");
  }

  @Test
  void aGatedRepositoryIsListedAndItsFilesAreRefused() throws Exception {
    aModel();
    hub.trouble(
        a -> a.path().contains("/resolve/"), 99, e -> FakeHub.refuse(e, 403, "GatedRepo", ""));
    assertRefused(IOException.class, () -> fetch("org/model"), "is gated", "/org/model");
    assertNothingPublished();
  }

  @Test
  void noSignatureOfTheStorageIsEverShown() throws Exception {
    aModel();
    hub.trouble(STORAGE, 99, e -> e.sendResponseHeaders(400, -1));
    Exception refused = assertThrows(IOException.class, () -> fetch("org/model"));
    String shown = refused + String.valueOf(refused.getCause()) + meter.waits;
    assertTrue(shown.contains("400"), shown);
    assertFalse(shown.contains("geheim"), shown);
  }

  @Test
  void redirectsThatLeadNowhereEnd() throws Exception {
    aModel();
    Trouble loop =
        hub.trouble(a -> true, 99, e -> FakeHub.redirect(e, 302, e.getRequestURI().toString()));
    assertRefused(IOException.class, () -> fetch("org/model"), "without end");
    assertEquals(9, loop.fired());
  }

  @ParameterizedTest
  @ValueSource(strings = {"file:///etc/passwd", "ftp://localhost/x", "http:///x", "::"})
  void aRedirectThatIsNoWebAddressIsNotFollowed(String to) throws Exception {
    aModel();
    hub.trouble(a -> true, 1, e -> FakeHub.redirect(e, 302, to));
    assertRefused(IOException.class, () -> fetch("org/model"), "redirects to what is no");
  }

  @Test
  void whatWasEncryptedStaysSo() throws IOException {
    URI from = URI.create("https://hub.example/a/b");
    assertEquals(URI.create("https://hub.example/a/c"), HubHttp.target(from, Optional.of("c")));
    assertEquals(
        URI.create("https://cdn.example/x"),
        HubHttp.target(from, Optional.of("https://cdn.example/x")));
    IOException refused =
        assertRefused(
            IOException.class,
            () -> HubHttp.target(from, Optional.of("http://cdn.example/x?signature=geheim")),
            "not encrypted",
            "http://cdn.example/x");
    assertFalse(String.valueOf(refused.getMessage()).contains("geheim"));
    assertRefused(
        IOException.class, () -> HubHttp.target(from, Optional.empty()), "redirects to nowhere");
  }

  @Test
  void aHubThatIsNotThereIsNamed() throws Exception {
    hub.close();
    assertRefused(IOException.class, () -> fetch("org/model"), "cannot be reached", "proxy");
    assertEquals(3, slept.size());
  }

  @Test
  void cancellingKeepsWhatHasCome() throws Exception {
    aModel();
    meter.cancelAfter = 9 << 20;
    assertThrows(CancellationException.class, () -> fetch("org/model"));
    assertNothingPublished();
    assertEquals(2, halfDone().size());
    meter = new RecordingMeter();
    hub.asked.clear();
    assertFetched();
    long asked =
        hub.asked.stream()
            .filter(STORAGE)
            .map(a -> a.header("Range").split("[=-]"))
            .mapToLong(r -> Long.parseLong(r[2]) - Long.parseLong(r[1]) + 1)
            .sum();
    assertTrue(asked < weights.length - (8 << 20), "asked for " + asked);
  }

  @Test
  void anInterruptEndsIt() throws Exception {
    aModel();
    hub.trouble(STORAGE, 99, hub.stall(FILE));
    Thread self = Thread.currentThread();
    Thread.ofVirtual()
        .start(
            () -> {
              await().until(() -> meter.moved >= 1 << 20); // of 20 MiB: half of it comes at most
              self.interrupt();
            });
    assertThrows(InterruptedException.class, () -> fetch("org/model"));
    assertNothingPublished();
    assertEquals(2, halfDone().size(), "what has come is written down");
  }
}
