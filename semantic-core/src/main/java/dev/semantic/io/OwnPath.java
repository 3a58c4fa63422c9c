package dev.semantic.io;

import dev.semantic.log.Log;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;

/**
 * Places that hold what is believed without another look, code above all: nobody but this user and
 * root may put anything there. A checksum alone doesn't do: what is verified now may be another
 * file when the system loads it.
 */
public final class OwnPath {
  private static final Log LOG = Log.of(OwnPath.class);
  private static final int ROOT = 0;
  private static final int OTHERS_WRITE = 0_002;
  private static final int GROUP_OR_OTHERS_WRITE = 0_022;
  private static final int STICKY = 0_1000;

  private OwnPath() {}

  /** The user whose rights this process has; asked once, when somebody first wants to know. */
  private static final class Self {
    private static final int USER = user();

    private static int user() {
      try {
        Path probe = Files.createTempFile("semantic-", null);
        try {
          return owner(probe);
        } finally {
          Files.delete(probe);
        }
      } catch (IOException e) {
        LOG.debug("No file can be made to see whose it is", e);
        return ofProcess();
      }
    }

    private static int ofProcess() {
      try {
        return ((Number) Files.getAttribute(Path.of("/proc/self"), "unix:uid")).intValue();
      } catch (IOException | UnsupportedOperationException | IllegalArgumentException e) {
        LOG.warn("It cannot be told whose process this is; only root's files are trusted", e);
        return ROOT;
      }
    }
  }

  /**
   * Makes sure that {@code file} is this user's or root's own, with every directory from {@code
   * root} down to it; takes from others the right to write what is this user's. How {@code root}
   * itself is reached is the host's affair, and whether its group may write there; below it nothing
   * may be a link.
   *
   * @throws IOException naming what is in other hands, and the remedy
   */
  public static void claim(Path root, Path file) throws IOException {
    if (!knowsOwners(root)) {
      return;
    }
    Path at = root.toRealPath();
    claimTop(at);
    for (Path name : root.relativize(file)) {
      at = at.resolve(name);
      claimBelow(at);
    }
  }

  /**
   * The same of a directory alone.
   *
   * @throws IOException if it is another user's, or reached by another user's link
   */
  public static void claim(Path directory) throws IOException {
    if (knowsOwners(directory)) {
      modeOfOwn(directory); // of the link, if it is one
      claimTop(directory.toRealPath());
    }
  }

  private static boolean knowsOwners(Path path) throws IOException {
    return Files.getFileStore(path).supportsFileAttributeView("posix");
  }

  private static void claimTop(Path top) throws IOException {
    int mode = modeOfOwn(top);
    if ((mode & OTHERS_WRITE) == 0 || (mode & STICKY) != 0) {
      return;
    }
    if (owner(top) == Self.USER) {
      forbid(top, PosixFilePermission.OTHERS_WRITE);
    } else {
      LOG.warn("Everybody may write to {}, whose content is trusted: chmod o-w {}", top, top);
    }
  }

  private static void claimBelow(Path path) throws IOException {
    if (Files.isSymbolicLink(path)) {
      throw new FileSystemException(
          path.toString(), null, "it is a link; code isn't loaded by one");
    }
    int mode = modeOfOwn(path);
    if ((mode & GROUP_OR_OTHERS_WRITE) == 0) {
      return;
    }
    if (owner(path) != Self.USER) {
      throw new FileSystemException(
          path.toString(),
          null,
          "others may write it (mode %o): chmod -R go-w %s".formatted(mode & 0_7777, path));
    }
    forbid(path, PosixFilePermission.GROUP_WRITE, PosixFilePermission.OTHERS_WRITE);
  }

  private static int modeOfOwn(Path path) throws IOException {
    int owner = owner(path);
    if (owner != Self.USER && owner != ROOT) {
      throw new FileSystemException(
          path.toString(),
          null,
          "it belongs to user %d; only what is user %d's or root's own is trusted: remove it, or choose another directory (SEMANTIC_HOME)"
              .formatted(owner, Self.USER));
    }
    return attribute(path, "mode");
  }

  private static int owner(Path path) throws IOException {
    return attribute(path, "uid");
  }

  private static int attribute(Path path, String name) throws IOException {
    Map<String, Object> read =
        Files.readAttributes(path, "unix:" + name, LinkOption.NOFOLLOW_LINKS);
    return ((Number) read.getOrDefault(name, ROOT)).intValue();
  }

  private static void forbid(Path path, PosixFilePermission... what) throws IOException {
    Set<PosixFilePermission> left = EnumSet.copyOf(Files.getPosixFilePermissions(path));
    Set.of(what).forEach(left::remove);
    Files.setPosixFilePermissions(path, left);
  }
}
