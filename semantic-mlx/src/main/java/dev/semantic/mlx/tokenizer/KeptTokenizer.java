package dev.semantic.mlx.tokenizer;

import dev.semantic.io.DurableFiles;
import dev.semantic.io.OwnPath;
import dev.semantic.io.Reason;
import dev.semantic.mlx.files.Sha256;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A tokenizer that was made of a GGUF file's vocabulary, kept for the next time. Its name says what
 * it was made of and what is in it: another file's is never taken for it, nor a damaged one.
 */
final class KeptTokenizer {
  private static final Logger LOG = LoggerFactory.getLogger(KeptTokenizer.class);
  private static final String SUFFIX = ".json";
  private static final int LARGEST = 512 << 20;

  private final Path directory;
  private final String madeOf;

  /**
   * @param madeOf a hash of all that it is made of
   */
  KeptTokenizer(Path directory, String madeOf) {
    this.directory = directory;
    this.madeOf = madeOf;
  }

  /** What was kept; nothing if there is none, or not what its name says. */
  Optional<byte[]> read() {
    if (!Files.isDirectory(directory)) {
      return Optional.empty();
    }
    try (DirectoryStream<Path> kept = Files.newDirectoryStream(directory, madeOf + "-*" + SUFFIX)) {
      for (Path file : kept) {
        OwnPath.claim(directory, file); // whoever wrote it wrote what its name says, too
        byte[] text = bytes(file);
        if (file.equals(place(text))) {
          return Optional.of(text);
        }
        LOG.warn("{} is damaged and will be written again", file);
        Files.deleteIfExists(file);
      }
    } catch (IOException e) {
      LOG.warn("Kept tokenizers in {} cannot be read: {}", directory, Reason.of(e));
    }
    return Optional.empty();
  }

  private static byte[] bytes(Path file) throws IOException {
    try (InputStream in = Files.newInputStream(file)) {
      return in.readNBytes(LARGEST);
    }
  }

  /** On a disk that is full or not ours it is made each time; that only takes longer. */
  void write(byte[] text) {
    Path file = place(text);
    try {
      DurableFiles.keep(file, text);
    } catch (IOException e) {
      LOG.warn("The tokenizer is not kept at {}: {}", file, Reason.of(e));
    }
  }

  private Path place(byte[] text) {
    MessageDigest digest = Sha256.digest();
    digest.update(text);
    return directory.resolve(madeOf + "-" + Sha256.finish(digest) + SUFFIX);
  }
}
