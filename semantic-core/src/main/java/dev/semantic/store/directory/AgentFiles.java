package dev.semantic.store.directory;

import dev.semantic.io.DurableFiles;
import dev.semantic.kv.BlockName;
import dev.semantic.log.Log;
import dev.semantic.store.format.CacheFileNames;
import dev.semantic.store.format.SnapshotReader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributeView;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What is done to one agent's cache as a whole, its own file and its blocks. At every moment the
 * agent's file lies in one place, and all that it refers to beside it. Callers see to it that
 * nobody else uses the file.
 */
public final class AgentFiles {
  private static final Log LOG = Log.of(AgentFiles.class);
  private static final int COPY_BYTES = 1 << 20;

  private AgentFiles() {}

  /**
   * Removes an agent's file, and the blocks that only it referred to.
   *
   * @return how many bytes that gave back
   */
  public static long remove(TagDirectory directory, Path file) throws IOException {
    Map<Path, Long> blocks = new LinkedHashMap<>();
    for (BlockName name : directory.refs().usedBy(file)) {
      Path block = directory.block(name);
      blocks.put(block, sizeOf(block));
    }
    long freed = sizeOf(file);
    if (!Files.deleteIfExists(file)) {
      return 0;
    }
    DurableFiles.force(directory.path());
    directory.removed(file); // not before: its blocks must outlast its name
    for (Map.Entry<Path, Long> block : blocks.entrySet()) {
      freed += Files.exists(block.getKey()) ? 0 : block.getValue();
    }
    return freed;
  }

  /**
   * Moves an agent's cache to another directory of the same model, over what it has there. The
   * blocks are there before the agent's file is, and leave only after it.
   */
  public static void move(TagDirectory from, Path file, TagDirectory to) throws IOException {
    // Not asked of the references, which do not know what it could not read.
    List<BlockName> names = SnapshotReader.header(file, from.form()).agent().blocks();
    Path target = to.path().resolve(CacheFileNames.name(file));
    to.refs().pin(names);
    try {
      DurableFiles.directory(to.path());
      for (BlockName name : names) {
        if (!to.refs().has(name) || !Files.exists(to.block(name))) {
          DurableFiles.directory(DurableFiles.parent(to.block(name)));
          share(from.block(name), to.block(name));
          to.refs().add(name);
        }
      }
      if (!names.isEmpty()) {
        DurableFiles.force(DurableFiles.parent(to.block(names.getFirst())));
      }
      Files.move(file, target, StandardCopyOption.ATOMIC_MOVE);
      to.refs().pin(names);
      to.refs().refer(target, names);
      DurableFiles.force(to.path());
      DurableFiles.force(from.path());
      from.removed(file); // not before: a loss of power might leave it where it was
    } finally {
      to.refs().unpin(names);
    }
  }

  /** A second name for the same bytes, or a copy of them where the file system has only one. */
  private static void share(Path block, Path target) throws IOException {
    if (!Files.exists(target)) {
      try {
        Files.createLink(target, block);
        return;
      } catch (NoSuchFileException e) {
        LOG.debug("{} is missing; who refers to it is no better elsewhere", block);
        return;
      } catch (IOException | UnsupportedOperationException e) {
        LOG.debug("Copying {}, which cannot be linked to", block, e);
      }
    }
    DurableFiles.put(target, channel -> copy(block, channel));
  }

  private static void copy(Path from, FileChannel to) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocateDirect(COPY_BYTES);
    try (FileChannel source = FileChannel.open(from, StandardOpenOption.READ)) {
      while (source.read(buffer) >= 0) {
        buffer.flip();
        while (buffer.hasRemaining()) {
          to.write(buffer);
        }
        buffer.clear();
      }
    }
  }

  /** Removes a model's directory in which there is nothing any more. */
  public static void removeIfEmpty(Path tagDirectory) throws IOException {
    try {
      Files.deleteIfExists(tagDirectory.resolve(CacheFileNames.BLOCKS));
      Files.deleteIfExists(tagDirectory);
    } catch (DirectoryNotEmptyException e) {
      LOG.debug("{} stays: there is something else in it", tagDirectory);
    }
  }

  /** Zero if it is not there. */
  public static long sizeOf(Path file) throws IOException {
    try {
      return Files.size(file);
    } catch (NoSuchFileException e) {
      return 0;
    }
  }

  /** Notes down that a cache was used; whoever is removed first is who was not for long. */
  public static void touch(Path file, Instant now) {
    try {
      BasicFileAttributeView view =
          Files.getFileAttributeView(file, BasicFileAttributeView.class, LinkOption.NOFOLLOW_LINKS);
      view.setTimes(FileTime.from(now), null, null);
    } catch (IOException e) {
      LOG.debug("Cannot note down when {} was used", file, e);
    }
  }
}
