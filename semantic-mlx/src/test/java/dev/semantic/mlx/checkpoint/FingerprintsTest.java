package dev.semantic.mlx.checkpoint;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.semantic.mlx.files.Sha256;
import dev.semantic.mlx.models.UserCache;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.HexFormat;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** A checksum that was kept is believed where nobody else can have written it. */
@EnabledOnOs({OS.LINUX, OS.MAC})
class FingerprintsTest {
  @TempDir private Path root = Path.of("");

  @Test
  void whatLiesInAnotherUsersDirectoryIsNotBelieved() throws IOException {
    Path file = Files.write(root.resolve("weights"), new byte[2 << 20]);
    UserCache cache = new UserCache(root.resolve("cache"));
    FileIdentity identity = FileIdentity.of(file);
    await().until(() -> identity.isProofSince(Instant.now())); // else nothing is kept
    String right = Sha256.of(file);
    assertEquals(right, fingerprint(cache, file, identity));
    Path directory = cache.root().resolve("fingerprints");
    String wrong = "0".repeat(64);
    try (Stream<Path> kept = Files.list(directory)) {
      Files.writeString(kept.findAny().orElseThrow(), wrong);
    }
    assertEquals(wrong, fingerprint(cache, file, identity), "what is ours is believed");
    assumeTrue(
        ((Number) Files.getAttribute(directory, "unix:uid")).intValue() == 0,
        "SKIPPED: only root can give a directory away");
    Path planted;
    try (Stream<Path> kept = Files.list(directory)) {
      planted = kept.findAny().orElseThrow();
    }
    Files.setAttribute(planted, "unix:uid", 54321); // who could write there once
    assertEquals(right, fingerprint(cache, file, identity));
    Files.writeString(planted, wrong);
    Files.setAttribute(directory, "unix:uid", 54321);
    assertEquals(right, fingerprint(cache, file, identity));
  }

  private static String fingerprint(UserCache cache, Path file, FileIdentity identity) {
    return HexFormat.of().formatHex(Fingerprints.of(cache, file, identity));
  }
}
