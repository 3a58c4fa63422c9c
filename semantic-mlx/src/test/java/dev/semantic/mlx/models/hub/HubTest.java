package dev.semantic.mlx.models.hub;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.net.ProxySelector;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/** A fake hub, an empty cache, and time that passes at once. */
abstract class HubTest {
  @TempDir Path home;
  FakeHub hub;
  HubCache cache;
  RecordingMeter meter;
  byte[] weights;
  String token = "";
  Duration silence = Duration.ofSeconds(20);
  final List<Duration> slept = new CopyOnWriteArrayList<>();

  @BeforeEach
  void open() throws IOException {
    hub = new FakeHub();
    cache = new HubCache(home.resolve("hub"));
    meter = new RecordingMeter();
    weights = bytes(20 << 20, 7);
  }

  @AfterEach
  void close() {
    hub.close();
  }

  static byte[] bytes(int count, int seed) {
    byte[] bytes = new byte[count];
    new Random(seed).nextBytes(bytes);
    return bytes;
  }

  /** A model in MLX's layout with 20 MiB of weights, and one file that nobody needs. */
  void aModel() throws IOException {
    hub.file("README.md", "---\nlicense: mit\n---\nA model.");
    hub.file("config.json", "{\"model_type\":\"llama\"}");
    hub.file("tokenizer.json", "{}");
    hub.file("training_args.bin", "useless");
    hub.large("model.safetensors", weights);
  }

  Path fetch(String name) throws IOException, InterruptedException {
    RetryPolicy retryPolicy =
        new RetryPolicy(4, Duration.ofSeconds(1), Duration.ofMinutes(5), silence, slept::add);
    return new HubFetch(
            hub.endpoint(),
            token.isEmpty() ? Optional.empty() : Optional.of(token),
            cache,
            ProxySelector.of(null),
            retryPolicy)
        .fetch(HubRepo.parse(name).orElseThrow(), meter);
  }

  static List<String> names(Path directory) throws IOException {
    try (Stream<Path> entries = Files.list(directory)) {
      return entries.map(p -> p.getFileName().toString()).sorted().toList();
    }
  }

  List<String> halfDone() throws IOException {
    Path blobs = cache.blobs(FakeHub.ID);
    return Files.exists(blobs)
        ? names(blobs).stream().filter(n -> n.contains("semantic")).toList()
        : List.of();
  }

  void assertNothingPublished() {
    assertEquals(List.of(), cache.snapshots());
  }
}
