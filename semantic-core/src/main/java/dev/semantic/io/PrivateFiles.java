package dev.semantic.io;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.nio.file.attribute.UserPrincipal;
import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

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
    requireOwn(directory);
    if (isPosix(directory)) {
      Set<PosixFilePermission> own = PosixFilePermissions.fromString(DIRECTORY);
      if (!Files.getPosixFilePermissions(directory).equals(own)) {
        Files.setPosixFilePermissions(directory, own);
      }
    }
  }

  /**
   * Whether a directory may hold what only its owner may change.
   *
   * @throws AccessDeniedException if it is another user's, or others may write to it; says what to
   *     do about it
   */
  public static void requireOwn(Path directory) throws IOException {
    if (!isPosix(directory)) {
      return;
    }
    PosixFileAttributes found = Files.readAttributes(directory, PosixFileAttributes.class);
    Set<PosixFilePermission> mode = found.permissions();
    if (mode.contains(PosixFilePermission.GROUP_WRITE)
        || mode.contains(PosixFilePermission.OTHERS_WRITE)) {
      throw new AccessDeniedException(
          directory.toString(),
          null,
          "others may write to it (%s), and could exchange what it holds; chmod go-w %s, or choose another"
              .formatted(PosixFilePermissions.toString(mode), directory));
    }
    String user = System.getProperty("user.name");
    if (!found.owner().getName().equals(user)) {
      UserPrincipal self = self(directory);
      if (!found.owner().equals(self)) {
        throw new AccessDeniedException(
            directory.toString(),
            null,
            "it belongs to %s, and this process is %s's; choose a directory of its own"
                .formatted(found.owner().getName(), self == null ? user : self.getName()));
      }
    }
  }

  /**
   * To whom a file belongs that this process makes there; not every user has a name. Null if it may
   * make none.
   */
  private static @Nullable UserPrincipal self(Path directory) throws IOException {
    Path probe;
    try {
      probe = Files.createTempFile(directory, ".owner", null, ofFile(directory));
    } catch (AccessDeniedException e) {
      return null;
    }
    try {
      return Files.getOwner(probe, LinkOption.NOFOLLOW_LINKS);
    } finally {
      Files.delete(probe);
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
