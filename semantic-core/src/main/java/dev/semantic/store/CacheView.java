package dev.semantic.store;

import dev.semantic.io.DurableFiles;
import dev.semantic.io.Reason;
import dev.semantic.kv.AgentId;
import dev.semantic.kv.BlockName;
import dev.semantic.log.Log;
import dev.semantic.memory.ByteSize;
import dev.semantic.model.ModelTag;
import dev.semantic.store.directory.AgentFiles;
import dev.semantic.store.directory.RootLayout;
import dev.semantic.store.format.CacheFileException;
import dev.semantic.store.format.CacheFileNames;
import dev.semantic.store.format.CacheFormat;
import dev.semantic.store.format.CacheHeader;
import dev.semantic.store.format.SnapshotReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * A cache directory to look at, even while a store in this process or another uses it: files appear
 * there whole, so nobody need be kept out. Changes nothing. What is replaced or removed while it is
 * looked at is looked at again.
 */
public final class CacheView {
  private static final Log LOG = Log.of(CacheView.class);
  private static final int LOOKS = 3;

  private final RootLayout layout;
  private final CacheFormat form;

  private CacheView(RootLayout layout, CacheFormat form) {
    this.layout = layout;
    this.form = form;
  }

  /**
   * A view of a directory that is there.
   *
   * @throws CacheException if it is not
   */
  public static CacheView of(Path root) {
    return of(root, CacheFormat.usual());
  }

  /** The same, of caches that are encrypted with this key; it sees no others. */
  public static CacheView of(Path root, CacheKey key) {
    return of(root, CacheFormat.usual().with(key.files()));
  }

  static CacheView of(Path root, CacheFormat form) {
    try {
      if (!Files.readAttributes(root, BasicFileAttributes.class).isDirectory()) {
        throw new NotDirectoryException(root.toString());
      }
    } catch (NoSuchFileException | NotDirectoryException e) {
      throw new CacheException(
          "There is no cache directory %s; is it written right?".formatted(root), e);
    } catch (IOException e) {
      throw cannotRead(root, e);
    }
    return new CacheView(new RootLayout(root.toAbsolutePath()), form);
  }

  /** Everything that is there: live, archived, quarantined; each by model and agent. */
  public List<CacheEntry> list() {
    List<CacheEntry> entries = new ArrayList<>();
    try {
      for (Path directory : layout.live()) {
        add(CacheState.LIVE, RootLayout.agents(directory), entries);
      }
      for (Path directory : layout.archived()) {
        add(CacheState.ARCHIVED, RootLayout.agents(directory), entries);
      }
      add(CacheState.QUARANTINED, layout.quarantined(), entries);
    } catch (IOException e) {
      throw cannotRead(layout.root(), e);
    }
    entries.sort(
        Comparator.comparing(CacheEntry::state)
            .thenComparing(entry -> entry.cache().map(c -> c.tag().toString()).orElse(""))
            .thenComparing(entry -> entry.cache().map(c -> c.agent().name()).orElse(""))
            .thenComparing(entry -> entry.file().toString()));
    return List.copyOf(entries);
  }

  /**
   * Whether this view has the wrong key: there are live caches, and all of them need another, or
   * none.
   *
   * @return what one of them needs; empty if one can be read, or none is there
   */
  public Optional<String> misfit() {
    String needed = null;
    try {
      for (Path directory : layout.live()) {
        for (Path file : RootLayout.agents(directory)) {
          try {
            SnapshotReader.header(file, form);
            return Optional.empty();
          } catch (CacheFileException e) {
            needed = e.kind() == CacheFileException.Kind.LOCKED ? e.getMessage() : needed;
          } catch (NoSuchFileException e) {
            LOG.debug("{} has gone in the meantime", file);
          }
        }
      }
    } catch (IOException e) {
      throw cannotRead(layout.root(), e);
    }
    return Optional.ofNullable(needed);
  }

  private void add(CacheState state, List<Path> files, List<CacheEntry> entries)
      throws IOException {
    for (Path file : files) {
      Optional<Instant> used = EvictionPass.used(file);
      if (used.isEmpty()) {
        continue; // it has gone in the meantime
      }
      ByteSize own = new ByteSize(AgentFiles.sizeOf(file));
      try {
        ParkedCache cache = describe(file, SnapshotReader.header(file, form));
        ByteSize size = state == CacheState.QUARANTINED ? own : cache.size();
        entries.add(
            new CacheEntry(state, file, size, used.get(), Optional.of(cache), Optional.empty()));
      } catch (NoSuchFileException e) {
        LOG.debug("{} has gone in the meantime", file);
      } catch (IOException e) {
        Optional<String> problem = Optional.of(Reason.of(e));
        entries.add(new CacheEntry(state, file, own, used.get(), Optional.empty(), problem));
      }
    }
  }

  /** What the header says; its blocks are counted where they lie beside it. */
  private static ParkedCache describe(Path file, CacheHeader header) throws IOException {
    CacheHeader.Agent agent = header.agent();
    long size = AgentFiles.sizeOf(file);
    for (BlockName name : agent.blocks()) {
      size += AgentFiles.sizeOf(file.resolveSibling(CacheFileNames.BLOCKS).resolve(name.file()));
    }
    return new ParkedCache(
        agent.id(), header.tag(), header.tokens(), new ByteSize(size), header.parked());
  }

  /**
   * What a cache is like inside, from its header.
   *
   * @throws CacheException if it cannot be read
   */
  public CacheDetails show(CacheEntry entry) {
    try {
      CacheHeader header = SnapshotReader.header(entry.file(), form);
      return new CacheDetails(
          header.layout(),
          header.precision(),
          header.encoding(),
          header.agent().blocks().size(),
          header.agent().imported());
    } catch (IOException e) {
      throw cannotRead(entry.file(), e);
    }
  }

  /**
   * Reads a whole cache, a layer at a time, and checks every byte of it, as a load does.
   *
   * @return what is wrong; empty if all is well, or if it has gone in the meantime
   */
  public Optional<String> verify(CacheEntry entry) {
    if (entry.state() == CacheState.QUARANTINED) {
      return Optional.of(entry.problem().orElse("it was put aside; the log of then says why"));
    }
    try {
      return read(
          entry,
          cache -> {
            cache.verify();
            return Optional.empty();
          });
    } catch (NoSuchFileException e) {
      LOG.debug("{} has gone in the meantime", entry.file());
      return Optional.empty();
    } catch (IOException e) {
      return Optional.of(Reason.of(e));
    } catch (OutOfMemoryError e) {
      return Optional.of("it needs more memory to be read; raise -Xmx");
    }
  }

  /** Again, if the agent was parked meanwhile, which takes blocks away that it did not need. */
  private <T> T read(CacheEntry entry, SnapshotReader.Use<T> use) throws IOException {
    for (int look = 1; ; look++) {
      Optional<Instant> before = SnapshotReader.parked(entry.file(), form);
      try {
        requireRightful(entry);
        return SnapshotReader.layers(entry.file(), form, use);
      } catch (CacheFileException e) {
        if (look == LOOKS || before.equals(SnapshotReader.parked(entry.file(), form))) {
          throw e;
        }
      }
    }
  }

  private void requireRightful(CacheEntry entry) throws IOException {
    CacheHeader header = SnapshotReader.header(entry.file(), form);
    AgentId agent = header.agent().id();
    Path root = DurableFiles.parent(DurableFiles.parent(entry.file()));
    Path rightful = form.file(root, agent, header.tag());
    if (!rightful.equals(entry.file())) {
      throw new CacheFileException(
          CacheFileException.Kind.MISPLACED,
          "%s's cache of %s does not belong under this name".formatted(agent, header.tag()));
    }
  }

  /**
   * Writes one agent's cache to one file that needs no other, for {@link
   * DiskCacheStore#importFrom}; in the numbers in which it is parked, and encrypted if that is. It
   * has all of the agent's tokens in it and is for its owner only.
   *
   * @param file appears whole or not at all, in the place of what is there
   * @return its size
   * @throws CacheException if the cache is damaged, or the file cannot be written
   */
  public ByteSize export(CacheEntry entry, Path file) {
    try {
      return read(
          entry,
          cache -> {
            cache.verify(); // all of it, before anything is written
            return CacheTransfer.write(cache, form, file.toAbsolutePath());
          });
    } catch (IOException e) {
      throw cannotRead(entry.file(), e);
    }
  }

  /** Live caches of this model, which may have been computed by other weights of that name. */
  List<ModelTag> namesakes(String model) {
    return list().stream()
        .flatMap(entry -> entry.cache().stream())
        .map(ParkedCache::tag)
        .filter(tag -> tag.model().equals(model))
        .distinct()
        .toList();
  }

  private static CacheException cannotRead(Path what, IOException e) {
    return new CacheException(
        "Cannot read %s: %s. Is it whole, and may this user read it?".formatted(what, Reason.of(e)),
        e);
  }
}
