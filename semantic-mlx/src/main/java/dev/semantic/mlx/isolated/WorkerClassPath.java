package dev.semantic.mlx.isolated;

import ai.djl.engine.EngineException;
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.cbor.CBORFactory;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.semantic.io.DurableFiles;
import dev.semantic.io.OwnPath;
import dev.semantic.mlx.architecture.Architecture;
import dev.semantic.mlx.capi.natives.NativeLibrary;
import dev.semantic.mlx.files.OnceDirectory;
import dev.semantic.mlx.files.Sha256;
import dev.semantic.mlx.models.UserCache;
import dev.semantic.spi.ModelRuntime;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.CodeSource;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import java.util.zip.CheckedInputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/**
 * Where a child finds its classes when the JVM's own class path doesn't have them: a host that
 * brings a class loader (an executable jar, a web application) has them in jars within its jar, or
 * somewhere else. Those that the child needs are asked where they come from; what lies within a jar
 * is unpacked into the user's cache, once.
 */
final class WorkerClassPath {
  /** {@code jar:nested:/app.jar/!BOOT-INF/lib/x.jar!/}, {@code jar:file:/app.jar!/lib/x.jar!/}. */
  private static final Pattern NESTED = Pattern.compile("(?:nested|file):(.+?)/?!/?(.+)");

  /** What stands around a jar's own address. */
  private static final Pattern WRAPPING = Pattern.compile("^jar:|!/?$");

  private static final List<Class<?>> NEEDED =
      List.of(
          RuntimeServer.class,
          ModelRuntime.class,
          HuggingFaceTokenizer.class,
          EngineException.class,
          ObjectMapper.class,
          JsonFactory.class,
          JsonProperty.class,
          CBORFactory.class,
          Caffeine.class,
          org.slf4j.Logger.class);

  private final Path cache;

  WorkerClassPath(UserCache cache) {
    this.cache = cache.root();
  }

  /** Whether this JVM's own class path, or module path, is enough for a child. */
  static boolean isTheHosts() {
    Module module = RuntimeServer.class.getModule();
    return module.isNamed()
        ? ModuleLayer.boot().modules().contains(module)
        : ClassLoader.getSystemClassLoader().equals(RuntimeServer.class.getClassLoader());
  }

  /**
   * Found by asking the classes.
   *
   * @param main a further one
   * @throws IOException if something can't be unpacked
   */
  List<Path> find(Class<?> main) throws IOException {
    Set<String> places = new LinkedHashSet<>();
    Stream<Class<?>> architectures =
        ServiceLoader.load(Architecture.class, RuntimeServer.class.getClassLoader()).stream()
            .map(ServiceLoader.Provider::type);
    Stream.of(Stream.of(main), NEEDED.stream(), architectures)
        .flatMap(classes -> classes)
        .forEach(
            type -> {
              CodeSource source = type.getProtectionDomain().getCodeSource();
              if (source != null && source.getLocation() != null) {
                places.add(source.getLocation().toString());
              }
            });
    NativeLibrary.packed().ifPresent(places::add);
    List<Path> found = new ArrayList<>();
    for (String place : places) {
      found.add(file(place));
    }
    return found;
  }

  private Path file(String place) throws IOException {
    String text = WRAPPING.matcher(place).replaceAll("");
    Matcher nested = NESTED.matcher(text);
    if (nested.matches()) {
      // Not through the host's handlers of such addresses, which may be anybody's.
      return unpacked(Path.of(URI.create("file:" + nested.group(1))), nested.group(2));
    }
    if (!text.startsWith("file:")) {
      throw new IOException(
          "classes from %s cannot be passed on; name them with IsolatedRuntime.Builder.classPath"
              .formatted(place));
    }
    return Path.of(URI.create(text));
  }

  /** A jar within a jar, or a directory of classes; by its content. */
  private Path unpacked(Path jar, String name) throws IOException {
    try (ZipFile zip = new ZipFile(jar.toFile())) {
      List<? extends ZipEntry> entries =
          zip.stream()
              .filter(entry -> !entry.isDirectory())
              .filter(
                  entry -> entry.getName().equals(name) || entry.getName().startsWith(within(name)))
              .toList();
      if (entries.isEmpty()) {
        throw new IOException(jar + " has no " + name);
      }
      String content =
          entries.stream()
              .map(entry -> entry.getName() + " " + entry.getSize() + " " + entry.getCrc())
              .collect(Collectors.joining("\n"));
      Path home = cache.resolve("isolated").resolve(Sha256.of(content).substring(0, 32));
      OnceDirectory.make(
          home,
          directory -> {
            OwnPath.claim(cache, directory);
            for (ZipEntry entry : entries) {
              if (!intact(directory, entry)) {
                return false;
              }
            }
            return true;
          },
          empty -> {
            for (ZipEntry entry : entries) {
              Path file = inside(empty, entry.getName());
              DurableFiles.createPrivate(Path.of(String.valueOf(file.getParent())));
              try (InputStream in = zip.getInputStream(entry)) {
                Files.copy(in, file);
              }
            }
          });
      OwnPath.claim(cache, home);
      return home.resolve(name);
    }
  }

  private static String within(String name) {
    return name.endsWith("/") ? name : name + "/";
  }

  private static Path inside(Path directory, String name) throws IOException {
    Path file = directory.resolve(name).normalize();
    if (!file.startsWith(directory)) {
      throw new IOException(name + " leads out of its jar");
    }
    return file;
  }

  private static boolean intact(Path directory, ZipEntry entry) throws IOException {
    Path file = inside(directory, entry.getName());
    if (!Files.isRegularFile(file) || Files.size(file) != entry.getSize()) {
      return false;
    }
    CheckedInputStream in = new CheckedInputStream(Files.newInputStream(file), new CRC32());
    try (in) {
      in.transferTo(OutputStream.nullOutputStream());
    }
    return in.getChecksum().getValue() == entry.getCrc();
  }

  /** As the {@code java} program takes it. */
  static String text(List<Path> paths) {
    return paths.stream().map(Path::toString).collect(Collectors.joining(File.pathSeparator));
  }
}
