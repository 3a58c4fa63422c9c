package dev.semantic.mlx.checkpoint;

import dev.semantic.io.DurableFiles;
import dev.semantic.io.OwnPath;
import dev.semantic.mlx.files.Sha256;
import dev.semantic.mlx.models.UserCache;
import dev.semantic.model.ModelException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.HexFormat;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * SHA-256 of model files. Hashing takes a second for each gigabyte, so what was found is kept for a
 * file that has kept its identity and some of its content here and there; where the identity proves
 * nothing, a file is hashed each time.
 */
final class Fingerprints {
  private static final Logger LOG = LoggerFactory.getLogger(Fingerprints.class);

  /** What is smaller is hashed faster than it is looked up. */
  private static final long WORTH_KEEPING = 1 << 20;

  private static final int PIECES = 64;
  private static final int PIECE = 4 << 10;

  private static final Pattern DIGEST = Pattern.compile("[0-9a-f]{64}");

  private Fingerprints() {}

  static byte[] of(UserCache cache, Path file, FileIdentity identity) {
    if (identity.size() < WORTH_KEEPING || !identity.isProofSince(Instant.now())) {
      return HexFormat.of().parseHex(hashed(file, identity));
    }
    String same = Sha256.of(identity + "|" + sample(file, identity.size()));
    Path kept = cache.root().resolve("fingerprints").resolve(same);
    String known = read(kept);
    if (known.isEmpty()) {
      known = hashed(file, identity);
      write(kept, known);
    }
    return HexFormat.of().parseHex(known);
  }

  private static String hashed(Path file, FileIdentity identity) {
    String found = hash(file);
    if (!FileIdentity.of(file).equals(identity)) {
      throw new ModelException(
          ModelException.Kind.CHANGED, file + " changed while it was read; prepare it again");
    }
    return found;
  }

  /** Pieces from the first to the last bytes: other weights differ in nearly all of them. */
  private static String sample(Path file, long size) {
    MessageDigest digest = Sha256.digest();
    ByteBuffer piece = ByteBuffer.allocate(PIECE);
    try (FileChannel channel = FileChannel.open(file)) {
      for (int i = 0; i < PIECES; i++) {
        channel.read(piece.clear(), (size - PIECE) / (PIECES - 1) * i);
        digest.update(piece.flip());
      }
    } catch (IOException e) {
      throw new ModelException(
          ModelException.Kind.FAILED, "Cannot read %s: %s".formatted(file, e.getMessage()), e);
    }
    return Sha256.finish(digest);
  }

  private static String hash(Path file) {
    try {
      return Sha256.of(file);
    } catch (IOException e) {
      throw new ModelException(
          ModelException.Kind.FAILED, "Cannot read %s: %s".formatted(file, e.getMessage()), e);
    }
  }

  private static String read(Path kept) {
    try {
      if (!Files.isRegularFile(kept, LinkOption.NOFOLLOW_LINKS)) {
        return "";
      }
      OwnPath.claim(kept.resolveSibling(""), kept);
      String text = Files.readString(kept).strip();
      return DIGEST.matcher(text).matches() ? text : "";
    } catch (IOException e) {
      LOG.debug("Cannot read {}; hashing again", kept, e);
      return "";
    }
  }

  /** Not being able to keep it costs time at the next start, nothing else. */
  private static void write(Path kept, String digest) {
    try {
      DurableFiles.keep(kept, digest.getBytes(StandardCharsets.US_ASCII));
    } catch (IOException e) {
      LOG.debug("Cannot keep the fingerprint at {}", kept, e);
    }
  }
}
