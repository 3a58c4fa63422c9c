package dev.semantic.mlx.models.hub;

import dev.semantic.mlx.files.ChangeTime;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which blobs of a cache, that other programs and perhaps other people write to, are what their
 * names say. A gigabyte takes about a second; each is read once by a process, unless it changes: in
 * size, in one of its times (that of the last change of anything nobody can set, where the file
 * system has it), or into another file.
 */
final class VerifiedBlobs {
  private static final Logger LOG = LoggerFactory.getLogger(VerifiedBlobs.class);
  private static final Set<String> HELD = ConcurrentHashMap.newKeySet();

  private VerifiedBlobs() {}

  /** Whether a blob's content has the checksum that it is named by. */
  static boolean holds(Path blob, String etag) throws IOException {
    String identity = identity(blob);
    if (HELD.contains(identity)) {
      return true;
    }
    boolean holds = Digests.of(blob, etag).equals(etag);
    if (holds && identity.equals(identity(blob))) {
      HELD.add(identity);
    } else if (!holds) {
      LOG.warn("{} is not what its name says, and is fetched again", blob);
    }
    return holds;
  }

  private static String identity(Path blob) throws IOException {
    BasicFileAttributes is = Files.readAttributes(blob, BasicFileAttributes.class);
    return List.of(
            blob.toRealPath(),
            is.size(),
            is.lastModifiedTime(),
            ChangeTime.of(blob),
            String.valueOf(is.fileKey()))
        .toString();
  }
}
