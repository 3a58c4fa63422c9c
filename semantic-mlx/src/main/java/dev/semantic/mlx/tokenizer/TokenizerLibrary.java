package dev.semantic.mlx.tokenizer;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import ai.djl.huggingface.tokenizers.jni.LibUtils;
import ai.djl.util.Utils;
import dev.semantic.io.OwnPath;
import dev.semantic.io.Reason;
import dev.semantic.mlx.MlxException;
import dev.semantic.mlx.files.OnceDirectory;
import dev.semantic.mlx.files.Sha256;
import dev.semantic.mlx.models.UserCache;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.util.Locale;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The native part of the tokenizer library. Left alone it unpacks itself to a place that anybody
 * can guess, believes what lies there, and on a machine with CUDA fetches another one from the
 * internet. So it is unpacked here, compared with what its jar has, and told where it lies.
 */
final class TokenizerLibrary {
  private static final Logger LOG = LoggerFactory.getLogger(TokenizerLibrary.class);
  private static final String FILE = System.mapLibraryName("tokenizers");

  /** The property that tells it of a file; then it unpacks and fetches nothing. */
  private static final String WHERE = "RUST_LIBRARY_PATH";

  private static boolean loaded;

  private TokenizerLibrary() {}

  /**
   * Loads it, if that has not been done; comes before everything else of the tokenizer library. A
   * host that names one in {@value #WHERE}, or has used that library before us, has it loaded in
   * its own way.
   *
   * @throws MlxException if it can't be unpacked or loaded; the message says what to do
   */
  static synchronized void load() {
    if (loaded) {
      return;
    }
    // It looks for its own updates otherwise; there is nothing to look for.
    System.setProperty("OPT_OUT_TRACKING", "true");
    String ofHost = Utils.getEnvOrSystemProperty(WHERE);
    if (ofHost != null) {
      load(Path.of(ofHost));
    } else {
      loadOurs();
    }
    loaded = true;
  }

  private static void loadOurs() {
    URL packed = packed();
    UserCache cache = UserCache.ofUser();
    try {
      String sha256 = sha256(packed);
      Optional<Path> kept = kept(cache, packed, sha256);
      if (kept.isPresent()) {
        load(kept.get());
      } else {
        loadAlone(packed, sha256);
      }
    } catch (IOException e) {
      throw new MlxException(
          ("The tokenizer library cannot be unpacked: %s. Have the environment variable"
                  + " SEMANTIC_HOME name a directory that this user can write to.")
              .formatted(Reason.of(e)),
          e);
    }
  }

  private static Optional<Path> kept(UserCache cache, URL packed, String sha256) {
    try {
      return Optional.of(keep(cache, packed, sha256));
    } catch (IOException e) {
      LOG.warn(
          "The tokenizer library is unpacked for this process alone, for it can't be kept in {}:"
              + " {}. The environment variable SEMANTIC_HOME names another directory.",
          cache.natives(),
          Reason.of(e));
      return Optional.empty();
    }
  }

  private static URL packed() {
    String os = System.getProperty("os.name").toLowerCase(Locale.ROOT);
    String arch = System.getProperty("os.arch").equals("aarch64") ? "aarch64" : "x86_64";
    String platform = (os.startsWith("mac") ? "osx-" : "linux-") + arch;
    String name = "native/lib/%s/cpu/%s".formatted(platform, FILE);
    URL url = HuggingFaceTokenizer.class.getClassLoader().getResource(name);
    if (url == null) {
      throw new MlxException(
          "The tokenizer library on the class path (ai.djl.huggingface:tokenizers) has no "
              + name
              + ". Use the version that semantic-mlx asks for.");
    }
    return url;
  }

  private static String sha256(URL packed) throws IOException {
    MessageDigest digest = Sha256.digest();
    try (InputStream in = new DigestInputStream(packed.openStream(), digest)) {
      in.transferTo(OutputStream.nullOutputStream());
    }
    return Sha256.finish(digest);
  }

  /** Named by its content, so that another version lies beside it. */
  static Path keep(UserCache cache, URL packed, String sha256) throws IOException {
    Path home = cache.natives().resolve("tokenizers-" + sha256.substring(0, 16));
    Path library = home.resolve(FILE);
    OnceDirectory.make(
        home,
        directory -> {
          OwnPath.claim(cache.root(), directory);
          return Files.isRegularFile(library) && Sha256.of(library).equals(sha256);
        },
        empty -> unpack(packed, sha256, empty));
    OwnPath.claim(cache.root(), library);
    return library;
  }

  private static void unpack(URL packed, String sha256, Path directory) throws IOException {
    Path file = directory.resolve(FILE);
    try (InputStream in = packed.openStream()) {
      Files.copy(in, file);
    }
    if (!Sha256.of(file).equals(sha256)) {
      throw new IOException(file + " is not what was written to it");
    }
  }

  /** In a directory that is new and this user's, under a name that nobody guesses; then gone. */
  private static void loadAlone(URL packed, String sha256) throws IOException {
    Path directory = Files.createTempDirectory("semantic-");
    try {
      unpack(packed, sha256, directory);
      Path library = directory.resolve(FILE);
      OwnPath.claim(directory, library);
      load(library);
    } finally {
      OnceDirectory.delete(directory);
    }
  }

  private static void load(Path library) {
    String before = System.setProperty(WHERE, library.toString());
    try {
      LibUtils.checkStatus();
      LOG.info("The tokenizer library is {}", library);
    } catch (RuntimeException | LinkageError e) {
      throw new MlxException(refusal(library, e), e);
    } finally {
      if (before == null) {
        System.clearProperty(WHERE);
      }
    }
  }

  private static String refusal(Path library, Throwable thrown) {
    Throwable cause = thrown;
    while (cause.getCause() != null) {
      cause = cause.getCause();
    }
    String why = String.valueOf(cause.getMessage());
    return why.contains("another classloader")
        ? "The tokenizer library can be loaded once in a process, and another class loader has it."
            + " Put semantic-mlx and what it needs where both share it (a parent class loader, the"
            + " server's own libraries), or use IsolatedRuntime; after a redeployment, restart the"
            + " JVM."
        : ("The tokenizer library %s cannot be loaded: %s. A directory on a file system mounted"
               + " noexec can't hold it: the environment variable SEMANTIC_HOME names another one.")
            .formatted(library, why);
  }
}
