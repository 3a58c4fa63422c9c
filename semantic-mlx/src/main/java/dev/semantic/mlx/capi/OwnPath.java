package dev.semantic.mlx.capi;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.io.IOException;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.invoke.MethodHandle;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Places that code is loaded from: nobody but this user and root may put anything there. A checksum
 * alone doesn't do: what is verified now may be another file when the system loads it.
 */
public final class OwnPath {
  private static final Logger LOG = LoggerFactory.getLogger(OwnPath.class);
  private static final int ROOT = 0;
  private static final int OTHERS_WRITE = 0_002;
  private static final int GROUP_OR_OTHERS_WRITE = 0_022;
  private static final int STICKY = 0_1000;

  private static final int UNKNOWN = -1;

  /** Not a constant: where native access is refused, every attempt must say so. */
  private static volatile int user = UNKNOWN;

  private OwnPath() {}

  /**
   * Makes sure that {@code file} is this user's or root's own, with every directory from {@code
   * root} down to it; takes from others the right to write what is this user's. How {@code root}
   * itself is reached is the host's affair, and whether its group may write there; below it nothing
   * may be a link.
   *
   * @throws IOException naming what is in other hands, and the remedy
   */
  public static void claim(Path root, Path file) throws IOException {
    if (!Files.getFileStore(root).supportsFileAttributeView("posix")) {
      return; // it knows no owners
    }
    Path at = root.toRealPath();
    claimTop(at);
    for (Path name : root.relativize(file)) {
      at = at.resolve(name);
      claimBelow(at);
    }
  }

  /**
   * The user whose rights this process has.
   *
   * @throws IllegalCallerException if the JVM refuses native access
   */
  private static int user() {
    int known = user;
    if (known == UNKNOWN) {
      known = effectiveUser();
      user = known;
    }
    return known;
  }

  @SuppressWarnings("restricted")
  private static int effectiveUser() {
    Linker linker = Linker.nativeLinker();
    MethodHandle geteuid =
        linker.downcallHandle(
            linker.defaultLookup().findOrThrow("geteuid"), FunctionDescriptor.of(JAVA_INT));
    try {
      return (int) geteuid.invokeExact();
    } catch (Throwable t) {
      throw Symbols.unexpected("geteuid", t);
    }
  }

  private static void claimTop(Path top) throws IOException {
    int mode = modeOfOwn(top);
    if ((mode & OTHERS_WRITE) == 0 || (mode & STICKY) != 0) {
      return;
    }
    if (owner(top) == user()) {
      forbid(top, PosixFilePermission.OTHERS_WRITE);
    } else {
      LOG.warn("Everybody may write to {}, from which code is loaded: chmod o-w {}", top, top);
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
    if (owner(path) != user()) {
      throw new FileSystemException(
          path.toString(),
          null,
          "others may write it (mode %o): chmod -R go-w %s".formatted(mode & 0_7777, path));
    }
    forbid(path, PosixFilePermission.GROUP_WRITE, PosixFilePermission.OTHERS_WRITE);
  }

  private static int modeOfOwn(Path path) throws IOException {
    int owner = owner(path);
    if (owner != user() && owner != ROOT) {
      throw new FileSystemException(
          path.toString(),
          null,
          "it belongs to user %d; code is loaded only from what is user %d's or root's own"
              .formatted(owner, user()));
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
