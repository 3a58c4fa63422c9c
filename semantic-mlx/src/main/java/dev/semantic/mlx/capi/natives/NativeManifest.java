package dev.semantic.mlx.capi.natives;

import dev.semantic.mlx.files.Sha256;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What a directory of natives is made of: versions, and every file with its size and SHA-256. Kept
 * as {@value #FILE_NAME} in the directory's root, one {@code key=value} a line, sorted, so that
 * equal natives have equal manifests.
 *
 * @param versions of the parts: {@code mlx=0.32.2}
 * @param files by path below the root, with {@code /}
 */
public record NativeManifest(SortedMap<String, String> versions, SortedMap<String, Entry> files) {
  public static final String FILE_NAME = "manifest.properties";
  private static final String FILE_PREFIX = "file.";

  /**
   * One file.
   *
   * @param size in bytes
   * @param sha256 lower-case hexadecimal
   */
  public record Entry(long size, String sha256) {}

  /** Describes files that lie below {@code root}. */
  public static NativeManifest describe(
      Path root, Iterable<String> files, Map<String, String> versions) throws IOException {
    SortedMap<String, Entry> entries = new TreeMap<>();
    for (String name : files) {
      Path file = root.resolve(name);
      entries.put(name, new Entry(Files.size(file), Sha256.of(file)));
    }
    return new NativeManifest(new TreeMap<>(versions), entries);
  }

  /**
   * Reads {@link #text()}.
   *
   * @throws IOException also if it is no manifest, or names a file outside of its directory
   */
  public static NativeManifest read(InputStream in) throws IOException {
    Properties lines = new Properties();
    SortedMap<String, String> versions = new TreeMap<>();
    SortedMap<String, Entry> files = new TreeMap<>();
    try {
      lines.load(in);
      for (String key : lines.stringPropertyNames()) {
        String value = lines.getProperty(key);
        if (key.startsWith(FILE_PREFIX)) {
          files.put(insideOf(key.substring(FILE_PREFIX.length())), entry(value));
        } else {
          versions.put(key, value);
        }
      }
    } catch (IllegalArgumentException e) {
      throw new IOException("The natives' " + FILE_NAME + " is damaged: " + e.getMessage(), e);
    }
    if (files.isEmpty()) {
      throw new IOException("The natives' " + FILE_NAME + " names no file: it is damaged");
    }
    return new NativeManifest(versions, files);
  }

  private static String insideOf(String name) {
    Path path = Path.of(name);
    if (path.isAbsolute() || !path.equals(path.normalize()) || path.startsWith("..")) {
      throw new IllegalArgumentException(name + " leads out of the directory");
    }
    return name;
  }

  private static Entry entry(String value) {
    int blank = value.indexOf(' ');
    if (blank < 0) {
      throw new IllegalArgumentException(value + " is not \"size sha256\"");
    }
    return new Entry(Long.parseLong(value.substring(0, blank)), value.substring(blank + 1));
  }

  /** The manifest as it is written. */
  public String text() {
    StringBuilder text = new StringBuilder();
    versions.forEach((name, version) -> text.append(name + "=" + version + "\n"));
    files.forEach(
        (name, entry) ->
            text.append(FILE_PREFIX + name + "=" + entry.size() + " " + entry.sha256() + "\n"));
    return text.toString();
  }

  /** Names these natives among others: a prefix of the text's checksum. */
  public String id() {
    return Sha256.of(text()).substring(0, 16);
  }

  /** What is wrong with the files below {@code root}; empty if every byte is as it should be. */
  public Optional<String> damage(Path root) {
    return files.entrySet().parallelStream()
        .map(file -> damage(root.resolve(file.getKey()), file.getValue()))
        .flatMap(Optional::stream)
        .findFirst();
  }

  private static Optional<String> damage(Path file, Entry expected) {
    try {
      if (!Files.isRegularFile(file)) {
        return Optional.of(file + " is missing");
      }
      if (Files.size(file) != expected.size()) {
        return Optional.of(
            file + " has " + Files.size(file) + " bytes, expected " + expected.size());
      }
      String found = Sha256.of(file);
      if (!found.equals(expected.sha256())) {
        return Optional.of(file + " has SHA-256 " + found + ", expected " + expected.sha256());
      }
      return Optional.empty();
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot read " + file, e);
    }
  }
}
