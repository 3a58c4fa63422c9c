package dev.semantic.mlx.models.hub;

import dev.semantic.mlx.files.Sha256;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * The two checksums by which a hub names contents: SHA-256 of large files, and Git's blob id, which
 * is SHA-1 over a header and the content, of all others. They are told apart by their length.
 */
final class Digests {
  private static final int GIT = 40;
  private static final int BUFFER = 1 << 18;

  private Digests() {}

  /** Whether a name is a checksum of either kind. */
  static boolean isEtag(String name) {
    return name.matches("[0-9a-f]{40}|[0-9a-f]{64}");
  }

  /** What kind of checksum this is, for messages. */
  static String name(String etag) {
    return etag.length() == GIT ? "the Git blob id" : "SHA-256";
  }

  /** A file's checksum, of the same kind as {@code etag}. */
  static String of(Path file, String etag) throws IOException {
    return etag.length() == GIT ? gitBlob(file) : Sha256.of(file);
  }

  private static String gitBlob(Path file) throws IOException {
    MessageDigest digest = sha1();
    digest.update(("blob " + Files.size(file) + "\0").getBytes(StandardCharsets.US_ASCII));
    byte[] buffer = new byte[BUFFER];
    try (InputStream in = Files.newInputStream(file)) {
      for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
        digest.update(buffer, 0, n);
      }
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  private static MessageDigest sha1() {
    try {
      return MessageDigest.getInstance("SHA-1");
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every Java platform has SHA-1", e);
    }
  }
}
