package dev.semantic.mlx.models;

import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The directory where one user's natives, models and derived files are kept between runs: {@code
 * $SEMANTIC_HOME}, else {@code $XDG_CACHE_HOME/semantic}, else {@code ~/.cache/semantic} ({@code
 * ~/Library/Caches/semantic} on macOS). Everything in it can be made again.
 *
 * @param root absolute; need not exist yet
 */
public record UserCache(Path root) {
  public UserCache {
    root = root.toAbsolutePath().normalize();
  }

  /** The cache of the user who runs this JVM. */
  public static UserCache ofUser() {
    return of(System.getenv(), System.getProperty("os.name"), System.getProperty("user.home"));
  }

  static UserCache of(Map<String, String> environment, String osName, String userHome) {
    String own = set(environment, "SEMANTIC_HOME");
    if (own != null) {
      return new UserCache(Path.of(own));
    }
    // HOME before user.home: Java asks the password file, the user's shell and tools ask HOME.
    String home = set(environment, "HOME");
    Path base = Path.of(home == null ? userHome : home);
    if (osName.toLowerCase(Locale.ROOT).startsWith("mac")) {
      return new UserCache(base.resolve("Library/Caches/semantic"));
    }
    String xdg = set(environment, "XDG_CACHE_HOME");
    // The specification wants a relative path ignored.
    boolean useXdg = xdg != null && Path.of(xdg).isAbsolute();
    return new UserCache((useXdg ? Path.of(xdg) : base.resolve(".cache")).resolve("semantic"));
  }

  private static @Nullable String set(Map<String, String> environment, String name) {
    String value = environment.get(name);
    return value == null || value.isBlank() ? null : value;
  }

  /** Native libraries, one directory for each build of them. */
  public Path natives() {
    return root.resolve("natives");
  }

  /** Model files that are whole. */
  public Path models() {
    return root.resolve("models");
  }

  /** Packages that have come and wait for the rest of their model. */
  public Path downloads() {
    return root.resolve("downloads");
  }

  /** Tokenizers derived from model files, by the file's fingerprint. */
  public Path tokenizers() {
    return root.resolve("tokenizers");
  }
}
