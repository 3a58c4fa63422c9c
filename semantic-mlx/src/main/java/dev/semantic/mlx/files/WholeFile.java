package dev.semantic.mlx.files;

import java.io.BufferedOutputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Files that are there whole or not at all, also after a loss of power. */
public final class WholeFile {
  private static final Logger LOG = LoggerFactory.getLogger(WholeFile.class);

  private WholeFile() {}

  /** Writes a file's content. */
  @FunctionalInterface
  public interface Content {
    void writeTo(OutputStream out) throws IOException;
  }

  /**
   * Puts a file with this content in {@code file}'s place, for its owner only; makes the directory.
   *
   * @throws IOException from the content or the disk; {@code file} is then as it was
   */
  public static void write(Path file, Content content) throws IOException {
    Path directory = file.toAbsolutePath().getParent();
    if (directory == null) {
      throw new NoSuchFileException(file.toString(), null, "it is a root");
    }
    OnceDirectory.createPrivate(directory);
    Path beside = Files.createTempFile(directory, "new", ".tmp");
    try {
      // Not a channel: an interrupt would close that.
      try (FileOutputStream disk = new FileOutputStream(beside.toFile())) {
        OutputStream out = new Unclosing(disk);
        content.writeTo(out);
        out.flush();
        disk.getFD().sync(); // a rename may reach the disk before what was renamed
      }
      Files.move(beside, file, StandardCopyOption.ATOMIC_MOVE);
    } finally {
      Files.deleteIfExists(beside);
    }
    keepName(directory);
  }

  /** Without it a file may be gone after a loss of power, but not damaged. */
  private static void keepName(Path directory) {
    if (!FileSystems.getDefault().supportedFileAttributeViews().contains("posix")) {
      return; // Windows opens no directory
    }
    try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
      channel.force(true);
    } catch (IOException e) {
      LOG.debug("The names in {} may not be on disk yet", directory, e);
    }
  }

  /** Some writers close what they have written to; it is needed once more. */
  private static final class Unclosing extends BufferedOutputStream {
    private Unclosing(OutputStream to) {
      super(to);
    }

    @Override
    public void close() throws IOException {
      flush();
    }
  }
}
