package dev.semantic.mlx.convert;

import com.fasterxml.jackson.core.json.JsonWriteFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.semantic.io.DurableFiles;
import dev.semantic.memory.ByteSize;
import dev.semantic.mlx.files.OnceDirectory;
import dev.semantic.model.ModelException;
import java.io.BufferedOutputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A directory that is filled beside its place and appears there whole. While it is filled a lock on
 * a file in it says that somebody is at work: what a killed predecessor left has none, and is swept
 * away.
 */
final class TargetDirectory implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(TargetDirectory.class);
  private static final String LOCK = ".converting";

  private static final ObjectMapper JSON =
      JsonMapper.builder()
          .enable(SerializationFeature.INDENT_OUTPUT)
          .disable(JsonWriteFeature.WRITE_NAN_AS_STRINGS) // as Python writes infinity
          .build();

  private final Path target;
  private final Path work;
  private final FileChannel lock;
  private boolean published;

  private TargetDirectory(Path target, Path work, FileChannel lock) {
    this.target = target;
    this.work = work;
    this.lock = lock;
  }

  /**
   * Begins to fill a directory.
   *
   * @param bytes that it will hold
   * @throws ModelException if the place is taken or the disk too full
   */
  @SuppressWarnings("MustBeClosedChecker") // kept until the directory is closed
  static TargetDirectory open(Path wanted, long bytes) throws IOException {
    Path target = free(wanted);
    Path parent = target.resolveSibling("");
    String prefix = "." + target.getFileName() + LOCK + "-";
    sweep(parent, prefix);
    requireSpace(parent, bytes);
    Path work =
        Files.createDirectory(
            parent.resolve(prefix + Long.toHexString(ThreadLocalRandom.current().nextLong())));
    try {
      FileChannel lock =
          FileChannel.open(
              work.resolve(LOCK), StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
      mark(lock, work);
      return new TargetDirectory(target, work, lock);
    } catch (IOException | RuntimeException e) {
      OnceDirectory.delete(work);
      throw e;
    }
  }

  /** Holds until the channel is closed. Where there are no locks, nothing is ever swept away. */
  @SuppressWarnings("MustBeClosedChecker")
  private static void mark(FileChannel lock, Path work) {
    try {
      FileLock held = lock.tryLock();
      LOG.debug("Converting in {}, locked: {}", work, held != null);
    } catch (IOException e) {
      LOG.debug("Converting in {}, which cannot be locked", work, e);
    }
  }

  private static Path free(Path wanted) throws IOException {
    Path target = wanted.toAbsolutePath().normalize();
    if (target.getFileName() == null) {
      throw new ModelException(
          ModelException.Kind.INVALID, "%s is a root; name a directory in it".formatted(wanted));
    }
    if (Files.exists(target)) {
      if (!Files.isDirectory(target)) {
        throw new ModelException(
            ModelException.Kind.INVALID, "%s is a file; name a directory".formatted(wanted));
      }
      try (Stream<Path> entries = Files.list(target)) {
        if (entries.findAny().isPresent()) {
          throw taken(wanted);
        }
      }
      return target.toRealPath();
    }
    if (Files.isSymbolicLink(target)) {
      throw new ModelException(
          ModelException.Kind.INVALID, "%s is a link that leads nowhere".formatted(wanted));
    }
    Path parent = target.resolveSibling("");
    if (!Files.isDirectory(parent)) {
      throw new ModelException(
          ModelException.Kind.NOT_FOUND,
          "There is no directory %s to put %s into; make it first"
              .formatted(parent, target.getFileName()));
    }
    return target;
  }

  private static ModelException taken(Path target) {
    return new ModelException(
        ModelException.Kind.INVALID,
        "%s is not empty; nothing in it is replaced. Name another directory, or remove this one"
            .formatted(target));
  }

  private static void requireSpace(Path parent, long bytes) throws IOException {
    long room = Files.getFileStore(parent).getUsableSpace();
    if (room < bytes) {
      throw new ModelException(
          ModelException.Kind.DOES_NOT_FIT,
          "The model needs %s and the disk of %s has %s free. Make room, or choose fewer bits"
              .formatted(new ByteSize(bytes), parent, new ByteSize(room)));
    }
  }

  private static void sweep(Path parent, String prefix) throws IOException {
    List<Path> left;
    try (Stream<Path> entries = Files.list(parent)) {
      left = entries.filter(p -> p.getFileName().toString().startsWith(prefix)).toList();
    }
    for (Path directory : left) {
      if (isAbandoned(directory)) {
        LOG.info("Removing {}, which an interrupted conversion has left", directory);
        OnceDirectory.delete(directory);
      }
    }
  }

  private static boolean isAbandoned(Path directory) {
    try (FileChannel channel = FileChannel.open(directory.resolve(LOCK), StandardOpenOption.WRITE);
        FileLock lock = channel.tryLock()) {
      return lock != null;
    } catch (OverlappingFileLockException e) {
      return false; // another thread of this JVM is at it
    } catch (IOException e) {
      LOG.debug("{} is left alone", directory, e);
      return false; // just begun, or just done
    }
  }

  /** Where it is filled. */
  Path path() {
    return work;
  }

  /** A file in it that is still to be made. */
  Path file(String name) {
    return work.resolve(name);
  }

  /** Writes a file's content. */
  @FunctionalInterface
  interface Content {
    void writeTo(OutputStream out) throws IOException;
  }

  /** Writes a file whose content waits on the disk when this returns; makes its directory. */
  void write(String name, Content content) throws IOException {
    Path file = file(name);
    Files.createDirectories(file.resolveSibling(""));
    try (FileOutputStream disk = new FileOutputStream(file.toFile());
        OutputStream out = new BufferedOutputStream(disk)) {
      content.writeTo(new Unclosed(out));
      out.flush();
      disk.getFD().sync();
    }
  }

  void writeJson(String name, Map<String, ? extends @Nullable Object> object) throws IOException {
    write(name, out -> JSON.writeValue(out, object));
  }

  /** Bytes of all files. */
  long bytes() throws IOException {
    try (Stream<Path> files = Files.walk(work)) {
      return files.filter(Files::isRegularFile).mapToLong(file -> file.toFile().length()).sum();
    }
  }

  /**
   * Puts the directory in its place.
   *
   * @throws ModelException if somebody else was faster
   */
  Path publish() throws IOException {
    Files.delete(work.resolve(LOCK));
    DurableFiles.forceIfPossible(work);
    try {
      Files.move(work, target, StandardCopyOption.ATOMIC_MOVE);
    } catch (DirectoryNotEmptyException | FileAlreadyExistsException e) {
      throw taken(target);
    }
    published = true;
    DurableFiles.forceIfPossible(target.resolveSibling(""));
    return target;
  }

  @Override
  public void close() throws IOException {
    try (lock) {
      if (!published) {
        OnceDirectory.delete(work);
      }
    }
  }

  /** Some writers close what they have written to; it is needed once more. */
  private static final class Unclosed extends java.io.FilterOutputStream {
    private Unclosed(OutputStream out) {
      super(out);
    }

    @Override
    public void write(byte[] bytes, int from, int count) throws IOException {
      out.write(bytes, from, count);
    }

    @Override
    public void close() throws IOException {
      out.flush();
    }
  }
}
