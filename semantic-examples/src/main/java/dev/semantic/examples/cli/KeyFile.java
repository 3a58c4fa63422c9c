package dev.semantic.examples.cli;

import dev.semantic.io.PrivateFiles;
import dev.semantic.io.Reason;
import dev.semantic.store.CacheException;
import dev.semantic.store.CacheKey;
import dev.semantic.store.CacheView;
import dev.semantic.store.DiskCacheBuilder;
import dev.semantic.store.DiskCacheStore;
import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.Channels;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The key of caches that are encrypted. Only its id is ever shown. */
final class KeyFile {
  /** What the longest way to write a key takes, and a line's end. */
  private static final int MOST_BYTES = 2 * CacheKey.BYTES + 2;

  @Option(
      names = "--key-file",
      paramLabel = "FILE",
      description =
          "The key that caches are encrypted with: 32 bytes, or the same as 64 hexadecimal digits"
              + " or in base64, in a file of this user that nobody else may read. With it only what"
              + " is encrypted with this key is seen, without it only what is not encrypted.")
  private @Nullable Path file;

  boolean isNamed() {
    return file != null;
  }

  /**
   * The key, if one was named.
   *
   * @throws CacheException if the file cannot be read, is not its owner's alone, or holds no key
   */
  Optional<CacheKey> key() {
    return Optional.ofNullable(file).map(KeyFile::read);
  }

  /**
   * Opens a cache directory with that key, if one was named.
   *
   * @throws CacheException if the key is no key, or not that of the caches which are there
   */
  DiskCacheStore open(DiskCacheBuilder builder, Path directory) {
    key().ifPresent(builder::encryption);
    if (Files.isDirectory(directory)) {
      view(directory); // before anything is written with a wrong key
    }
    return builder.open();
  }

  /**
   * To look only.
   *
   * @throws CacheException the same, or if there is no such directory
   */
  CacheView view(Path directory) {
    Optional<CacheKey> key = key();
    CacheView view =
        key.map(its -> CacheView.of(directory, its)).orElseGet(() -> CacheView.of(directory));
    if (key.isPresent()) {
      view.misfit().ifPresent(why -> refuse(directory, why));
    }
    return view;
  }

  private void refuse(Path directory, String why) {
    throw new CacheException(
        "%s does not hold the key of the caches in %s: %s. Nothing has changed"
            .formatted(file, directory, why));
  }

  private static CacheKey read(Path file) {
    byte[] bytes;
    try (InputStream in = Channels.newInputStream(PrivateFiles.openSecret(file))) {
      bytes = in.readNBytes(MOST_BYTES + 1);
    } catch (IOException e) {
      throw new CacheException("Cannot read key file %s: %s".formatted(file, Reason.of(e)), e);
    }
    try {
      return CacheKey.of(bytes.length == CacheKey.BYTES ? bytes : decoded(bytes));
    } catch (IllegalArgumentException _) { // whose message may show what was read
      throw new CacheException(
          "%s holds no key: expected %d bytes, or the same as %d hexadecimal digits or in base64"
              .formatted(file, CacheKey.BYTES, 2 * CacheKey.BYTES));
    } finally {
      Arrays.fill(bytes, (byte) 0);
    }
  }

  private static byte[] decoded(byte[] bytes) {
    String text = new String(bytes, StandardCharsets.ISO_8859_1).strip();
    return text.length() == 2 * CacheKey.BYTES
        ? HexFormat.of().parseHex(text)
        : Base64.getDecoder().decode(text);
  }
}
