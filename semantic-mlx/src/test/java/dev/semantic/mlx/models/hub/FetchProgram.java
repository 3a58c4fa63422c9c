package dev.semantic.mlx.models.hub;

import java.io.IOException;
import java.net.ProxySelector;
import java.net.URI;
import java.nio.file.Path;
import java.util.Optional;

/** Fetches in a process of its own: hub, cache. Says that it begins, and what came of it. */
final class FetchProgram {
  private FetchProgram() {}

  static final String BEGINS = "begins";

  public static void main(String[] args) throws InterruptedException {
    HubFetch fetch =
        new HubFetch(
            URI.create(args[0]),
            Optional.empty(),
            new HubCache(Path.of(args[1])),
            ProxySelector.of(null),
            RetryPolicy.USUAL);
    System.out.println(BEGINS);
    try {
      HubRepo repo = HubRepo.parse(FakeHub.ID).orElseThrow();
      System.out.println(fetch.fetch(repo, new RecordingMeter()));
    } catch (IOException e) {
      System.out.println(e.getMessage());
      System.exit(1);
    }
  }
}
