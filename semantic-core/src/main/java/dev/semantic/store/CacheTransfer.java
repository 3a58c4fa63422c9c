package dev.semantic.store;

import dev.semantic.io.DurableFiles;
import dev.semantic.io.Reason;
import dev.semantic.kv.AgentId;
import dev.semantic.kv.KvSnapshot;
import dev.semantic.memory.ByteSize;
import dev.semantic.model.ModelTag;
import dev.semantic.store.directory.RootLayout;
import dev.semantic.store.format.CacheFileNames;
import dev.semantic.store.format.CacheFileWriter;
import dev.semantic.store.format.CacheFormat;
import dev.semantic.store.format.CacheHeader;
import dev.semantic.store.format.SnapshotReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;

/**
 * One agent's cache as one file: an agent's file that refers to no blocks, since it has all of them
 * in itself. {@code docs/cache-format.md} describes it, as it does any other.
 */
final class CacheTransfer {
  private CacheTransfer() {}

  static ByteSize write(SnapshotReader.Layers cache, CacheFormat form, Path file) {
    long[] bytes = new long[1];
    CacheHeader parked = cache.header();
    try {
      CacheHeader header =
          CacheHeader.agent(
              parked.agent().id(),
              cache.outline(),
              parked.encoding(),
              List.of(),
              0,
              parked.parked(),
              form.checksumBytes());
      DurableFiles.uninterrupted(
          () -> {
            DurableFiles.replace(
                file,
                channel -> bytes[0] = CacheFileWriter.write(channel, header, cache, form.key()));
            return file;
          });
    } catch (IOException e) {
      throw new CacheException(
          "Cannot export %d tokens to %s: %s. Nothing is there but what was before; is there"
                  .formatted(parked.tokens(), file, Reason.of(e))
              + " room, and may this user write there?",
          e);
    }
    return new ByteSize(bytes[0]);
  }

  /** What is in a file, and whose it is to be. */
  record Parcel(AgentId agent, KvSnapshot snapshot) {}

  /**
   * Reads and verifies all of a file; changes nothing.
   *
   * @throws CacheException if it is not whole, another model's, or in the way of another cache
   */
  static Parcel read(CacheImport parcel, RootLayout home, CacheFormat form) {
    Path file = parcel.file();
    try {
      CacheHeader header = SnapshotReader.header(file, form);
      CacheHeader.Agent agent = header.agent();
      if (!agent.blocks().isEmpty()) {
        throw refused(
            file,
            "it is one of several files of a cache directory, its %d blocks lie elsewhere. Export the agent there, and import that file"
                .formatted(agent.blocks().size()));
      }
      requireModel(parcel, header.tag(), home, form);
      AgentId whose = parcel.as().orElse(agent.id());
      requireFree(parcel, form.file(home.root(), whose, header.tag()), whose, home);
      return new Parcel(whose, SnapshotReader.snapshot(file, form));
    } catch (IOException e) {
      throw refused(file, Reason.of(e) + ". Is it whole, and an exported cache?");
    }
  }

  private static void requireModel(
      CacheImport parcel, ModelTag found, RootLayout home, CacheFormat form) {
    List<ModelTag> here =
        parcel
            .expected()
            .map(List::of)
            .orElseGet(() -> CacheView.of(home.root(), form).namesakes(found.model()));
    if (!here.isEmpty() && !here.contains(found)) {
      throw refused(
          parcel.file(),
          "%s with fingerprint %s computed it, and here is %s. A cache is used only with the very weights, tokenizer, template and precision that made it; get the same model, or let the agent compute its prompt again"
              .formatted(
                  found.model(),
                  found.fingerprint(),
                  here.stream()
                      .map(tag -> tag.model() + " with " + tag.fingerprint())
                      .collect(Collectors.joining(", "))));
    }
  }

  private static void requireFree(CacheImport parcel, Path live, AgentId whose, RootLayout home)
      throws IOException {
    Path archived = home.archiveOf(DurableFiles.parent(live)).resolve(CacheFileNames.name(live));
    for (Path there : List.of(live, archived)) {
      if (!parcel.replacing() && Files.exists(there, LinkOption.NOFOLLOW_LINKS)) {
        throw refused(
            parcel.file(),
            "%s has a cache of this model already, %s. Have it replaced, or import this one for another agent"
                .formatted(whose, there));
      }
    }
  }

  private static CacheException refused(Path file, String why) {
    return new CacheException("Cannot import %s: %s. Nothing has changed".formatted(file, why));
  }
}
