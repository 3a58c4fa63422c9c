package dev.semantic.mlx.capi.natives;

import dev.semantic.io.OwnPath;
import dev.semantic.mlx.MlxException;
import dev.semantic.mlx.files.OnceDirectory;
import dev.semantic.mlx.models.UserCache;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.net.URI;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * mlx-c's library on this machine. Looked for, in this order: the directory named by {@code
 * -Dsemantic.mlx.library}; a natives jar on the class or module path, unpacked into the user's
 * cache and verified; natives that the build has put into the user's cache for exactly these
 * versions; on macOS, Homebrew's mlx-c of the same version.
 */
public final class NativeLibrary {
  /** Names a directory that holds mlx-c's library, itself or in {@code mlx/lib}. */
  public static final String OVERRIDE = "semantic.mlx.library";

  /** The file with our own CPU kernels, beside mlx-c's library; not on every platform. */
  public static final String KERNELS = "libsemantic_kernels.so";

  /** The file with llguidance, beside mlx-c's library. */
  public static final String GRAMMAR = System.mapLibraryName("semantic_grammar");

  private static final Logger LOG = LoggerFactory.getLogger(NativeLibrary.class);
  private static final String IN_MLX_LIB = "mlx/lib/";
  private static final Path HOMEBREW = Path.of("/opt/homebrew/opt/mlx-c");

  private final UserCache cache;
  private final ClassLoader resources;
  private final NativeVariant variant;
  private final Path homebrew;

  NativeLibrary(UserCache cache, ClassLoader resources, NativeVariant variant, Path homebrew) {
    this.cache = cache;
    this.resources = resources;
    this.variant = variant;
    this.homebrew = homebrew;
  }

  /**
   * What was loaded.
   *
   * @param mlxc mlx-c
   * @param kernels our own CPU kernels, where there are some
   */
  public record Loaded(SymbolLookup mlxc, Optional<SymbolLookup> kernels) {}

  /**
   * Loads the libraries; they stay loaded until the JVM ends.
   *
   * @throws MlxException if there is no mlx-c, or the system refuses to load it
   */
  public static Loaded load() {
    Found found = search();
    SymbolLookup library = load(found.library());
    LOG.info("MLX's natives are {}, {}", found.library(), found.source());
    return new Loaded(library, kernels(found.library()));
  }

  /**
   * Loads llguidance's library, which needs no other; it stays loaded until the JVM ends.
   *
   * @throws MlxException if there is none, or the system refuses to load it
   */
  public static SymbolLookup loadGrammar() {
    Path library = locate().resolveSibling(GRAMMAR);
    if (!Files.isReadable(library)) {
      throw new MlxException(
          "There is no %s beside the natives in %s; a build with cargo 1.87 or later makes it"
              .formatted(GRAMMAR, library.getParent()));
    }
    return load(library);
  }

  private static Optional<SymbolLookup> kernels(Path library) {
    Path kernels = library.resolveSibling(KERNELS);
    if (!Files.isReadable(kernels)) {
      LOG.info("There are no CPU kernels of our own beside them: MLX's serve");
      return Optional.empty();
    }
    try {
      return Optional.of(load(kernels));
    } catch (MlxException e) {
      LOG.warn("MLX's own CPU kernels serve. {}", e.getMessage());
      return Optional.empty();
    }
  }

  /**
   * The library's file, unpacked if need be.
   *
   * @throws MlxException saying what was looked for and what to do
   */
  public static Path locate() {
    return search().library();
  }

  private static Found search() {
    String directory = System.getProperty(OVERRIDE);
    if (directory != null && !directory.isBlank()) {
      return new Found(inOverride(Path.of(directory)), "named by -D" + OVERRIDE);
    }
    ClassLoader resources = NativeLibrary.class.getClassLoader();
    return new NativeLibrary(UserCache.ofUser(), resources, NativeVariant.current(), HOMEBREW)
        .found();
  }

  /** The address of the natives jar beside our classes, if there is one for this machine. */
  public static Optional<String> packed() {
    String manifest = NativeVariant.current().resourceRoot() + NativeManifest.FILE_NAME;
    return Optional.ofNullable(NativeLibrary.class.getClassLoader().getResource(manifest))
        .map(url -> url.toString().substring(0, url.toString().length() - manifest.length()));
  }

  /**
   * A library and where it comes from.
   *
   * @param source for the log
   */
  record Found(Path library, String source) {}

  static Path inOverride(Path directory) {
    String name = System.mapLibraryName("mlxc");
    return Stream.of(directory.resolve(name), directory.resolve(IN_MLX_LIB + name))
        .filter(Files::isReadable)
        .findFirst()
        .map(Path::toAbsolutePath)
        .orElseThrow(
            () ->
                new MlxException(
                    "-D"
                        + OVERRIDE
                        + "="
                        + directory
                        + " has no readable "
                        + name
                        + ", neither in itself nor in mlx/lib. Name the directory that holds it,"
                        + " or leave the property away."));
  }

  Path find() {
    return found().library();
  }

  Found found() {
    return fromJar()
        .or(this::fromBuild)
        .or(this::fromHomebrew)
        .orElseThrow(() -> new MlxException(nowhere()));
  }

  private Optional<Found> fromJar() {
    URL url = resources.getResource(variant.resourceRoot() + NativeManifest.FILE_NAME);
    if (url == null) {
      return Optional.empty();
    }
    Path target = cache.natives();
    try (InputStream in = url.openStream()) {
      NativeManifest manifest = NativeManifest.read(in);
      Path home = target.resolve(variant.classifier() + "-jar-" + manifest.id());
      target = home;
      OnceDirectory.make(
          home,
          directory -> {
            OwnPath.claim(cache.root(), directory);
            return manifest.damage(directory).isEmpty();
          },
          empty -> {
            LOG.info("Unpacking MLX's natives into {}", home);
            if (Files.exists(home)) {
              LOG.warn("What was there is damaged: {}", manifest.damage(home).orElse("not now"));
            }
            unpack(manifest, url, empty);
          });
      Path library = home.resolve(IN_MLX_LIB + variant.library());
      OwnPath.claim(cache.root(), library);
      return Optional.of(new Found(library, "unpacked from " + url));
    } catch (IOException | UncheckedIOException e) {
      throw new MlxException(
          "Cannot unpack the natives from "
              + url
              + " into "
              + target
              + ": "
              + e
              + ". The directory must be writable and have 200 MB free;"
              + " the environment variable SEMANTIC_HOME names another one.",
          e);
    }
  }

  private static void unpack(NativeManifest manifest, URL manifestUrl, Path empty)
      throws IOException {
    String base = manifestUrl.toString();
    base = base.substring(0, base.length() - NativeManifest.FILE_NAME.length());
    for (String name : manifest.files().keySet()) {
      Path file = empty.resolve(name);
      Files.createDirectories(file.getParent());
      // Beside the manifest that was found: another jar may carry other natives of the same names.
      try (InputStream in = URI.create(base + name).toURL().openStream()) {
        Files.copy(in, file);
      }
    }
    Optional<String> damage = manifest.damage(empty);
    if (damage.isPresent()) {
      throw new IOException("the natives jar is damaged: " + damage.get());
    }
  }

  /** What {@code mvn} has left for this version's tests, examples and benchmarks. */
  private Optional<Found> fromBuild() {
    Path root = NativePins.files(cache, variant);
    Path file = root.resolve(NativeManifest.FILE_NAME);
    if (!Files.isReadable(file)) {
      return Optional.empty();
    }
    Path library = root.resolve(IN_MLX_LIB + variant.library());
    try (InputStream in = Files.newInputStream(file)) {
      OwnPath.claim(cache.root(), library);
      Optional<String> damage = NativeManifest.read(in).damage(root);
      if (damage.isPresent()) {
        throw new MlxException(
            "The natives in "
                + root
                + " are damaged: "
                + damage.get()
                + ". Delete that directory and add "
                + jar()
                + ".");
      }
      return Optional.of(
          new Found(library, "left there by a build of semantic; elsewhere add " + jar()));
    } catch (IOException | UncheckedIOException e) {
      throw new MlxException("Cannot read the natives in " + root + ": " + e, e);
    }
  }

  private Optional<Found> fromHomebrew() {
    Path library = homebrew.resolve("lib").resolve(variant.library());
    if (variant != NativeVariant.MACOS_METAL || !Files.isReadable(library)) {
      return Optional.empty();
    }
    try {
      // opt/mlx-c is a link to Cellar/mlx-c/<version>, with _<revision> after a rebuild.
      String version = homebrew.toRealPath().getFileName().toString().replaceFirst("_\\d+$", "");
      if (!version.equals(NativePins.mlxcVersion())) {
        throw new MlxException(
            "Homebrew's mlx-c in "
                + homebrew
                + " is version "
                + version
                + ", needed is "
                + NativePins.mlxcVersion()
                + ". Add "
                + jar()
                + " instead.");
      }
      return Optional.of(new Found(library, "Homebrew's"));
    } catch (IOException e) {
      throw new MlxException("Cannot find out the version of Homebrew's mlx-c in " + homebrew, e);
    }
  }

  /** In the words in which a build tool is told of it. */
  private String jar() {
    return "the dependency dev.semantic:semantic-mlx with the classifier natives-"
        + variant.classifier()
        + " to the class or module path";
  }

  private String nowhere() {
    return "MLX's natives were not found: add "
        + jar()
        + ", in the version of semantic-mlx itself; or name a directory that holds "
        + variant.library()
        + " with -D"
        + OVERRIDE
        + ". (No build of semantic has left any in "
        + NativePins.files(cache, variant)
        + ".)";
  }

  @SuppressWarnings("restricted") // loading natives is what this class is for
  static SymbolLookup load(Path library) {
    try {
      return SymbolLookup.libraryLookup(library, Arena.global());
    } catch (IllegalArgumentException e) {
      throw new MlxException(
          "Cannot load "
              + library
              + ": "
              + reason(library)
              + ". A directory on a file system mounted noexec can't hold natives:"
              + " the environment variable SEMANTIC_HOME names another one.",
          e);
    }
  }

  /** The system's own words, which {@code libraryLookup} keeps to itself. */
  @SuppressWarnings("restricted")
  private static @Nullable String reason(Path library) {
    try {
      System.load(library.toAbsolutePath().toString());
      return "it can be loaded, but not looked into";
    } catch (UnsatisfiedLinkError e) {
      return e.getMessage();
    }
  }
}
