package dev.semantic.mlx.checkpoint;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.semantic.mlx.capi.os.FilePages;
import dev.semantic.model.ModelException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.function.Supplier;

/** A file of weights, mapped into memory. Any thread. */
final class MappedFile implements AutoCloseable {
  private static final long SAMPLE = 256 << 10;

  private final Path path;
  private final FileIdentity identity;
  private final Arena arena;
  private final MemorySegment memory;

  private MappedFile(Path path, FileIdentity identity, Arena arena, MemorySegment memory) {
    this.path = path;
    this.identity = identity;
    this.arena = arena;
    this.memory = memory;
  }

  @SuppressWarnings(
      "MustBeClosedChecker") // closed on every way out but the last, which hands it on
  static MappedFile open(Path path) {
    FileIdentity identity = FileIdentity.of(path);
    Arena arena = Arena.ofShared();
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
      MemorySegment memory = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
      return new MappedFile(path, identity, arena, memory);
    } catch (IOException e) {
      arena.close();
      throw new ModelException(
          ModelException.Kind.FAILED, "Cannot read %s: %s".formatted(path, e.getMessage()), e);
    } catch (RuntimeException | Error e) {
      arena.close();
      throw e;
    }
  }

  Path path() {
    return path;
  }

  FileIdentity identity() {
    return identity;
  }

  long size() {
    return memory.byteSize();
  }

  /** All of it, read within {@link #guarded} only. */
  MemorySegment memory() {
    return memory;
  }

  byte[] bytes(long from, long count) {
    byte[] bytes = new byte[Math.toIntExact(count)];
    copy(from, bytes, 0, bytes.length);
    return bytes;
  }

  void copy(long from, byte[] to, int at, int count) {
    guarded(
        () -> {
          MemorySegment.copy(memory, JAVA_BYTE, from, to, at, count);
          return to;
        });
  }

  /** Copies a part to where numbers are computed with. */
  void copy(long from, MemorySegment to, long count) {
    guarded(
        () -> {
          MemorySegment.copy(memory, from, to, 0, count);
          return to;
        });
  }

  /**
   * Says that a part will be read soon, unless it seems to be in the system's page cache: what is
   * there the kernel would look up page by page, for nothing.
   */
  void announce(long from, long count) {
    if (!seemsLoaded(from, count)) {
      FilePages.announce(memory, from, count);
    }
  }

  /** A byte here and there; pages are read and forgotten by the dozen. */
  private boolean seemsLoaded(long from, long count) {
    for (long at = 0; at < count; at += SAMPLE) {
      if (!memory.asSlice(from + at, 1).isLoaded()) {
        return false;
      }
    }
    return true;
  }

  /** Waits until a part is in the system's page cache. */
  void await(long from, long count) {
    MemorySegment part = memory.asSlice(from, count);
    guarded(
        () -> {
          if (!part.isLoaded()) {
            part.load();
            letGo(from, count);
          }
          return path;
        });
  }

  /** Pages that were read count as this process' memory until then. */
  void letGo(long from, long count) {
    FilePages.letGo(memory, from, count);
  }

  /** A page of a mapped file that is no longer there shows as an error of the JVM's. */
  <T> T guarded(Supplier<T> reading) {
    try {
      return reading.get();
    } catch (InternalError e) {
      throw LostPages.refusal(path, e);
    }
  }

  void verifyUnchanged() {
    if (!FileIdentity.of(path).equals(identity)) {
      throw new ModelException(
          ModelException.Kind.CHANGED,
          path + " has changed since it was checked; prepare it again");
    }
  }

  @Override
  public void close() {
    if (arena.scope().isAlive()) {
      arena.close();
    }
  }
}
