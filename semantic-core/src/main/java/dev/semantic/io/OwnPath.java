package dev.semantic.io;

import dev.semantic.log.Log;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.nio.file.attribute.UserPrincipal;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;

/**
 * Whose a file or a directory is, and who else may change it. {@code claim} is for places that hold
 * what is believed without another look, code above all: nobody but this user and root may put
 * anything there. A checksum alone doesn't do: what is verified now may be another file when the
 * system loads it. {@code require} changes nothing.
 *
 * <p>Where the file system knows no owners, everything is fine.
 */
public final class OwnPath {
  private static final Log LOG = Log.of(OwnPath.class);
  private static final int ROOT = 0;
  private static final int OTHERS_WRITE = 0_002;
  private static final int GROUP_OR_OTHERS_WRITE = 0_022;
  private static final int GROUP_OR_OTHERS = 0_077;
  private static final int STICKY = 0_1000;

  private OwnPath() {}

  /** The user whose rights this process has; asked once, when somebody first wants to know. */
  private static final class Self {
    private static final int USER = user();

    private static int user() {
      try {
        return ofProbe(Path.of(System.getProperty("java.io.tmpdir")));
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

  /** To whom a file belongs that this process makes there. */
  private static int ofProbe(Path directory) throws IOException {
    Path probe = Files.createTempFile(directory, ".owner", null, PrivateFiles.ofFile(directory));
    try {
      return Found.at(probe).owner();
    } finally {
      Files.delete(probe);
    }
  }

  /**
   * Whether a user is the one whose rights this process has, as the kernel says, or as the files
   * that it makes are marked: on some shares what root makes is nobody's.
   */
  public static boolean isOurs(UserPrincipal user) throws IOException {
    Path process = Path.of("/proc/self");
    if (Files.exists(process) && Files.getOwner(process).equals(user)) {
      return true;
    }
    Path directory = Path.of(System.getProperty("java.io.tmpdir"));
    Path probe = Files.createTempFile(directory, ".owner", null, PrivateFiles.ofFile(directory));
    try {
      return Files.getOwner(probe).equals(user);
    } finally {
      Files.delete(probe);
    }
  }

  /** Of a file, a directory, or the link itself. */
  private record Found(Path path, int owner, int mode) {
    static Found at(Path path) throws IOException {
      return at(path, LinkOption.NOFOLLOW_LINKS);
    }

    static Found at(Path path, LinkOption... how) throws IOException {
      Map<String, Object> read = Files.readAttributes(path, "unix:uid,mode", how);
      return new Found(path, number(read, "uid"), number(read, "mode"));
    }

    private static int number(Map<String, Object> read, String name) {
      return ((Number) read.getOrDefault(name, ROOT)).intValue();
    }

    boolean isOurs() {
      return owner == Self.USER;
    }

    /** What is root's is as good as ours: root may do everything anyway. */
    boolean isTrusted() {
      return isOurs() || owner == ROOT;
    }

    boolean lets(int whom) {
      return (mode & whom) != 0;
    }

    /** Whether others may put something in another's place; if it is sticky, only beside it. */
    boolean letsExchange(int whom) {
      return lets(whom) && !lets(STICKY);
    }

    void requireTrusted() throws IOException {
      if (!isTrusted()) {
        throw refused(
            "it belongs to user %d; only what is user %d's or root's own is trusted: remove it, or choose another directory (SEMANTIC_HOME)"
                .formatted(owner, Self.USER));
      }
    }

    AccessDeniedException refused(String why) {
      return new AccessDeniedException(path.toString(), null, why);
    }

    String permissions() throws IOException {
      return PosixFilePermissions.toString(Files.getPosixFilePermissions(path));
    }

    void forbid(PosixFilePermission... what) throws IOException {
      Set<PosixFilePermission> left = EnumSet.copyOf(Files.getPosixFilePermissions(path));
      Set.of(what).forEach(left::remove);
      Files.setPosixFilePermissions(path, left);
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
    if (knowsOwners(root)) {
      Path at = root.toRealPath();
      claimTop(at);
      for (Path name : root.relativize(file)) {
        at = at.resolve(name);
        claimBelow(at);
      }
    }
  }

  /**
   * The same of a directory alone.
   *
   * @throws IOException if it is another user's, or reached by another user's link
   */
  public static void claim(Path directory) throws IOException {
    if (knowsOwners(directory)) {
      Found.at(directory).requireTrusted(); // the link, if it is one
      claimTop(directory.toRealPath());
    }
  }

  private static void claimTop(Path top) throws IOException {
    Found found = Found.at(top);
    found.requireTrusted();
    if (found.letsExchange(OTHERS_WRITE)) {
      if (found.isOurs()) {
        found.forbid(PosixFilePermission.OTHERS_WRITE);
      } else {
        LOG.warn("Everybody may write to {}, whose content is trusted: chmod o-w {}", top, top);
      }
    }
  }

  private static void claimBelow(Path path) throws IOException {
    Found found = Found.at(path);
    if (Files.isSymbolicLink(path)) {
      throw found.refused("it is a link; code isn't loaded by one");
    }
    found.requireTrusted();
    if (found.lets(GROUP_OR_OTHERS_WRITE)) {
      if (!found.isOurs()) {
        throw found.refused(
            "others may write it (mode %o): chmod -R go-w %s"
                .formatted(found.mode() & 0_7777, path));
      }
      found.forbid(PosixFilePermission.GROUP_WRITE, PosixFilePermission.OTHERS_WRITE);
    }
  }

  /**
   * Whether a directory may hold what only its owner may change; root's is no better than others'.
   *
   * @throws AccessDeniedException if it is another user's, or others may write to it; says what to
   *     do about it
   */
  public static void requireOwn(Path directory) throws IOException {
    if (!knowsOwners(directory)) {
      return;
    }
    Found found = Found.at(directory);
    if (found.lets(GROUP_OR_OTHERS_WRITE)) {
      throw found.refused(
          "others may write to it (%s), and could exchange what it holds; chmod go-w %s, or choose another"
              .formatted(found.permissions(), directory));
    }
    if (!found.isOurs() && !isProbeOf(found.owner(), directory)) {
      throw found.refused(
          "it belongs to %s, and this process is user %d's; choose a directory of its own"
              .formatted(Files.getOwner(directory).getName(), Self.USER));
    }
  }

  /** On some shares what root makes is nobody's. */
  private static boolean isProbeOf(int owner, Path directory) throws IOException {
    try {
      return owner == ofProbe(directory);
    } catch (AccessDeniedException e) {
      LOG.debug("Nothing can be made in {}", directory, e);
      return false;
    }
  }

  /**
   * Whether a file is a secret that nobody but this user and root can read, or put another file in
   * the place of. Whatever this says was so before, and is so after: nobody else could change it.
   *
   * @param file by its real name, if it has one
   * @throws AccessDeniedException if others may use it, or may write to a directory that leads to
   *     it; says what to do about it
   */
  static void requireSecret(Path file) throws IOException {
    if (!knowsOwners(DurableFiles.parent(file))) {
      return;
    }
    Found found = Found.at(file, new LinkOption[0]); // what a descriptor leads to has no name
    if (found.lets(GROUP_OR_OTHERS)) {
      throw found.refused(
          "others may use it (%s), so that it is no secret; chmod 600 %s"
              .formatted(found.permissions(), file));
    }
    if (!found.isTrusted()) {
      throw found.refused(
          "it belongs to %s, who may read and exchange it; copy it to a file of your own"
              .formatted(Files.getOwner(file).getName()));
    }
    for (Path above = file.getParent(); above != null; above = above.getParent()) {
      requireUnexchanged(Found.at(above));
    }
  }

  private static void requireUnexchanged(Found above) throws IOException {
    if (above.letsExchange(GROUP_OR_OTHERS_WRITE)) {
      throw above.refused(
          "others may write to it (%s), and could exchange what lies in it; chmod go-w %s"
              .formatted(above.permissions(), above.path()));
    }
    if (!above.isTrusted() && above.owner() != Found.at(above.path().getRoot()).owner()) {
      throw above.refused(
          "it belongs to %s, who could exchange what lies in it; choose a directory of your own"
              .formatted(Files.getOwner(above.path()).getName()));
    }
  }

  private static boolean knowsOwners(Path path) throws IOException {
    return Files.getFileStore(path).supportsFileAttributeView("posix");
  }
}
