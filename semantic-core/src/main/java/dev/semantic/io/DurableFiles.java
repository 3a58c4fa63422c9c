package dev.semantic.io;

import dev.semantic.log.Log;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Set;
import java.util.UUID;

/** The few things that are done to files here: privately, durably, whole or not at all. */
public final class DurableFiles {
  private static final Log LOG = Log.of(DurableFiles.class);
  private static final Set<OpenOption> NEW =
      Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);

  private static final String TEMPORARY_SUFFIX = ".tmp";

  private DurableFiles() {}

  /** Writes a file's content. */
  @FunctionalInterface
  public interface Content {
    void writeTo(FileChannel channel) throws IOException;
  }

  /** How the names in a directory are made to last. */
  @FunctionalInterface
  private interface Forcing {
    void force(Path directory) throws IOException;
  }

  /** Something that reads or writes files. */
  @FunctionalInterface
  public interface Access<T> {
    T run() throws IOException;
  }

  /** A directory and those above it, as {@link #directory} makes one. */
  public static void directories(Path directory) throws IOException {
    directories(directory, DurableFiles::force);
  }

  private static void directories(Path directory, Forcing forcing) throws IOException {
    if (!Files.isDirectory(directory)) {
      directories(parent(directory), forcing);
      directory(directory, forcing);
    }
  }

  /** A directory for its owner only, unless it is there already; its name lasts. */
  public static void directory(Path directory) throws IOException {
    directory(directory, DurableFiles::force);
  }

  private static void directory(Path directory, Forcing forcing) throws IOException {
    PrivateFiles.refuseLink(directory);
    if (!Files.isDirectory(directory)) {
      try {
        Files.createDirectory(directory, PrivateFiles.ofDirectory(directory));
      } catch (FileAlreadyExistsException e) {
        if (!Files.isDirectory(directory)) {
          throw e;
        }
      }
      forcing.force(parent(directory));
    }
  }

  /**
   * A directory that nobody but this user and root may change: one that is there, or a new one that
   * only its owner may enter. Its name lasts if that can be: see {@link #forceIfPossible}.
   *
   * @throws IOException if it is another user's
   */
  public static Path createPrivate(Path directory) throws IOException {
    directories(directory.toAbsolutePath(), DurableFiles::forceIfPossible);
    OwnPath.claim(directory);
    return directory;
  }

  /**
   * Puts these bytes in {@code file}'s place, in a directory as {@link #createPrivate} makes one:
   * what is good to have and can be had again.
   */
  public static void keep(Path file, byte[] content) throws IOException {
    createPrivate(parent(file.toAbsolutePath()));
    replace(file, content, DurableFiles::forceIfPossible);
  }

  /** Puts these bytes in {@code file}'s place, however often the thread is interrupted. */
  public static void replace(Path file, byte[] content) throws IOException {
    replace(file, content, DurableFiles::force);
  }

  private static void replace(Path file, byte[] content, Forcing forcing) throws IOException {
    uninterrupted(
        () -> {
          put(
              file,
              channel -> {
                for (ByteBuffer left = ByteBuffer.wrap(content); left.hasRemaining(); ) {
                  channel.write(left);
                }
              });
          forcing.force(parent(file));
          return file;
        });
  }

  /**
   * Puts a file with this content in {@code file}'s place, for its owner only. Whatever happens,
   * {@code file} is what it was or complete; once this returns it survives a loss of power.
   */
  public static void replace(Path file, Content content) throws IOException {
    put(file, content);
    force(parent(file));
  }

  /** The same, but that the name does not last before the directory has been forced. */
  public static void put(Path file, Content content) throws IOException {
    Path temporary = write(file, content);
    try {
      forceFile(temporary);
      Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE);
    } catch (Throwable t) {
      discard(temporary, t);
      throw t;
    }
  }

  /**
   * Writes what is to take {@code file}'s place once it has been forced, for its owner only.
   *
   * @return where it is; nothing is there if this fails
   */
  public static Path write(Path file, Content content) throws IOException {
    Path temporary = temporary(file);
    try (FileChannel channel = FileChannel.open(temporary, NEW, PrivateFiles.ofFile(file))) {
      content.writeTo(channel);
    } catch (Throwable t) {
      discard(temporary, t);
      throw t;
    }
    return temporary;
  }

  /** Makes what was written to a file last, whoever wrote it. */
  public static void forceFile(Path file) throws IOException {
    force(file, StandardOpenOption.WRITE);
  }

  private static void force(Path path, OpenOption how) throws IOException {
    try (FileChannel channel = FileChannel.open(path, how)) {
      channel.force(true);
    }
  }

  private static void discard(Path file, Throwable why) {
    try {
      Files.deleteIfExists(file);
    } catch (IOException e) {
      why.addSuppressed(e);
    }
  }

  /** Makes the names in a directory last. */
  public static void force(Path directory) throws IOException {
    if (PrivateFiles.isPosix(directory)) { // Windows keeps them by itself and opens no directory
      force(directory, StandardOpenOption.READ);
    }
  }

  /**
   * The same where it can be done: some shares cannot. A name may be gone there after a loss of
   * power, but nothing is damaged.
   */
  public static void forceIfPossible(Path directory) {
    try {
      force(directory);
    } catch (IOException e) {
      LOG.debug("The names in {} may not be on disk yet", directory, e);
    }
  }

  /**
   * Runs to the end even if the thread is interrupted, which closes the channel in use: an agent's
   * memory is not lost to somebody's impatience. The interrupt stays pending.
   */
  public static <T> T uninterrupted(Access<T> access) throws IOException {
    boolean interrupted = Thread.interrupted();
    try {
      while (true) {
        try {
          return access.run();
        } catch (ClosedChannelException e) {
          if (!Thread.interrupted()) {
            throw e;
          }
          interrupted = true;
        } catch (InternalError e) { // of a mapped page; not always thrown where it was read
          throw new IOException("it was cut off or became unreadable while it was read", e);
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  public static Path parent(Path path) throws IOException {
    Path parent = path.getParent();
    if (parent == null) {
      throw new NoSuchFileException(path.toString(), null, "it has no parent directory");
    }
    return parent;
  }

  /** A name beside {@code file} that nobody has used. */
  public static Path temporary(Path file) {
    return file.resolveSibling(file.getFileName() + "." + UUID.randomUUID() + TEMPORARY_SUFFIX);
  }
}
