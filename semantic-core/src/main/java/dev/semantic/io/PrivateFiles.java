package dev.semantic.io;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.HashSet;
import java.util.Set;

/**
 * Files and directories that are one user's own: made for their owner only whatever the umask, and
 * opened without following a link that somebody else may have put there.
 */
public final class PrivateFiles {
  private static final String FILE = "rw-------";
  private static final String DIRECTORY = "rwx------";
  private static final String READABLE_FILE = "rw-r--r--";
  private static final String READABLE_DIRECTORY = "rwxr-xr-x";

  private PrivateFiles() {}

  /**
   * Opens a file by its own name, never where a link in its place leads; a new one is its owner's.
   *
   * @throws FileSystemException if the name is a link
   */
  public static FileChannel open(Path file, Set<OpenOption> options) throws IOException {
    return open(file, options, ofFile(file));
  }

  private static FileChannel open(Path file, Set<OpenOption> options, FileAttribute<?>[] attributes)
      throws IOException {
    Set<OpenOption> all = new HashSet<>(options);
    all.add(LinkOption.NOFOLLOW_LINKS);
    try {
      return FileChannel.open(file, all, attributes);
    } catch (IOException e) {
      refuseLink(file); // which says what is wrong with it
      throw e;
    }
  }

  /**
   * The same, but a new file is for others to read, as in a cache that several users share; nobody
   * else may write to it, whatever the umask.
   *
   * @throws FileSystemException if the name is a link
   */
  public static FileChannel openReadable(Path file, Set<OpenOption> options) throws IOException {
    return open(file, options, attributes(file, READABLE_FILE));
  }

  /**
   * Opens a secret of this user's, to read it; a link is as good as the file that it leads to.
   *
   * @throws AccessDeniedException if others may use it, or exchange it; says what to do about it
   */
  public static FileChannel openSecret(Path file) throws IOException {
    Path real = realName(file);
    FileChannel channel = FileChannel.open(real, StandardOpenOption.READ);
    try {
      OwnPath.requireSecret(real); // after it was opened: else another file may be by then
      return channel;
    } catch (IOException | RuntimeException e) {
      channel.close();
      throw e;
    }
  }

  /** Of what a shell hands over as a descriptor ({@code <(...)}), only the directory has one. */
  private static Path realName(Path file) throws IOException {
    try {
      return file.toRealPath();
    } catch (NoSuchFileException e) {
      if (Files.exists(file)) {
        return DurableFiles.parent(file.toAbsolutePath()).toRealPath().resolve(file.getFileName());
      }
      throw e;
    }
  }

  /** Makes a directory, and those above it, that others may look into and not change. */
  public static Path readableDirectory(Path directory) throws IOException {
    return Files.createDirectories(directory, attributes(directory, READABLE_DIRECTORY));
  }

  /** Refuses what a link leads to. */
  public static void refuseLink(Path path) throws FileSystemException {
    if (Files.isSymbolicLink(path)) {
      throw new FileSystemException(
          path.toString(), null, "it is a link, which is not followed; remove it");
    }
  }

  /**
   * Makes sure that a directory of ours, which is there, is nobody else's, and takes from others
   * the right to look into it.
   *
   * @throws FileSystemException if it is a link, another user's, or others may write to it
   */
  public static void claim(Path directory) throws IOException {
    refuseLink(directory);
    OwnPath.requireOwn(directory);
    if (isPosix(directory)) {
      Set<PosixFilePermission> own = PosixFilePermissions.fromString(DIRECTORY);
      if (!Files.getPosixFilePermissions(directory).equals(own)) {
        Files.setPosixFilePermissions(directory, own);
      }
    }
  }

  /** What to make a file with that only its owner may read. */
  public static FileAttribute<?>[] ofFile(Path path) {
    return attributes(path, FILE);
  }

  /** What to make a directory with that only its owner may enter. */
  public static FileAttribute<?>[] ofDirectory(Path path) {
    return attributes(path, DIRECTORY);
  }

  private static FileAttribute<?>[] attributes(Path path, String permissions) {
    return isPosix(path)
        ? new FileAttribute<?>[] {
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(permissions))
        }
        : new FileAttribute<?>[0];
  }

  /** Whether owners and modes are known where this lies. */
  public static boolean isPosix(Path path) {
    return path.getFileSystem().supportedFileAttributeViews().contains("posix");
  }
}
