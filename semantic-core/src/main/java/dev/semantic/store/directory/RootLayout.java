package dev.semantic.store.directory;

import dev.semantic.kv.BlockName;
import dev.semantic.log.Log;
import dev.semantic.store.format.CacheFileNames;
import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import java.util.regex.Pattern;

/**
 * Which files below a cache root are the store's. Whatever is called otherwise is somebody else's
 * and stays as it is, and a symbolic link is never followed: it leads to somebody else's.
 */
public record RootLayout(Path root) {
  private static final Log LOG = Log.of(RootLayout.class);
  private static final Pattern TAG =
      Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,99}-[0-9a-f]{16}");
  private static final Pattern TEMPORARY =
      Pattern.compile("[^.].*\\.kvb?\\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\\.tmp");
  private static final Pattern QUARANTINED =
      Pattern.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}-.*\\.kvb?");

  public Path archive() {
    return root.resolve(CacheFileNames.ARCHIVE);
  }

  public Path quarantine() {
    return root.resolve(CacheFileNames.QUARANTINE);
  }

  /** Where the caches of a directory go, or come from, when their model does. */
  public Path archiveOf(Path tagDirectory) {
    return archive().resolve(CacheFileNames.name(tagDirectory));
  }

  /** The directories of the models whose caches can be loaded. */
  public List<Path> live() throws IOException {
    return tagDirectories(root);
  }

  public List<Path> archived() throws IOException {
    return isDirectory(archive()) ? tagDirectories(archive()) : List.of();
  }

  public List<Path> quarantined() throws IOException {
    return isDirectory(quarantine())
        ? list(
            quarantine(),
            file -> QUARANTINED.matcher(CacheFileNames.name(file)).matches() && isFile(file))
        : List.of();
  }

  private static List<Path> tagDirectories(Path parent) throws IOException {
    return list(
        parent, path -> TAG.matcher(CacheFileNames.name(path)).matches() && isDirectory(path));
  }

  /** Agents' files in a model's directory. */
  public static List<Path> agents(Path tagDirectory) throws IOException {
    return list(tagDirectory, file -> CacheFileNames.isCache(file) && isFile(file));
  }

  /** All files in a model's directory that are the store's. */
  public static List<Path> files(Path tagDirectory) throws IOException {
    List<Path> files = new ArrayList<>(agents(tagDirectory));
    files.addAll(blocks(tagDirectory));
    return files;
  }

  /** The blocks of a model's directory. */
  static List<Path> blocks(Path tagDirectory) throws IOException {
    Path blocks = tagDirectory.resolve(CacheFileNames.BLOCKS);
    return isDirectory(blocks)
        ? list(blocks, file -> BlockName.isBlock(file) && isFile(file))
        : List.of();
  }

  /** Nobody else writes below a root that is locked, so what is half-written is dead. */
  public void clearTemporaries() throws IOException {
    List<Path> directories = new ArrayList<>(live());
    directories.addAll(archived());
    for (Path directory : directories) {
      clearIn(directory);
      clearIn(directory.resolve(CacheFileNames.BLOCKS));
    }
  }

  private static void clearIn(Path directory) throws IOException {
    if (isDirectory(directory)) {
      for (Path file :
          list(directory, path -> TEMPORARY.matcher(CacheFileNames.name(path)).matches())) {
        LOG.info("Removing {}: its writer was stopped before it was complete", file);
        Files.deleteIfExists(file);
      }
    }
  }

  public static boolean isDirectory(Path path) throws IOException {
    return is(path, BasicFileAttributes::isDirectory);
  }

  public static boolean isFile(Path path) throws IOException {
    return is(path, BasicFileAttributes::isRegularFile);
  }

  /** What cannot be looked at is not taken for absent. */
  private static boolean is(Path path, Predicate<BasicFileAttributes> wanted) throws IOException {
    try {
      return wanted.test(
          Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS));
    } catch (NoSuchFileException e) {
      return false;
    }
  }

  /** None if the directory is not there, or no more. */
  public static List<Path> list(Path directory, DirectoryStream.Filter<Path> wanted)
      throws IOException {
    List<Path> found = new ArrayList<>();
    try (DirectoryStream<Path> all = Files.newDirectoryStream(directory, wanted)) {
      all.forEach(found::add);
    } catch (NoSuchFileException | NotDirectoryException e) {
      LOG.trace("There is no directory {}", directory);
    } catch (DirectoryIteratorException e) {
      throw e.getCause();
    }
    return found;
  }
}
