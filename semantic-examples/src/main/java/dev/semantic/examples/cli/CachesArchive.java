package dev.semantic.examples.cli;

import dev.semantic.store.CacheEntry;
import dev.semantic.store.CacheState;
import dev.semantic.store.DiskCacheStore;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Caches that are put aside. */
@Command(
    name = "archive",
    description = "Puts live caches into the archive, until their model is loaded again.")
final class CachesArchive extends Subcommand {
  @Mixin private CacheDirectory directory = new CacheDirectory();
  @Mixin private CacheSelection selection = new CacheSelection();

  @Option(names = "--all", description = "All that are live.")
  private boolean all;

  @Override
  Answer answer() {
    if (selection.isEmpty() && !all) {
      throw misuse("say which, by --agent, --model or --older-than, or --all");
    }
    long bytes = 0;
    try (DiskCacheStore store = directory.open()) {
      List<CacheEntry> entries =
          selection.of(store.maintenance().list()).stream()
              .filter(entry -> entry.state() == CacheState.LIVE && entry.cache().isPresent())
              .toList();
      for (CacheEntry entry : entries) {
        store.maintenance().archive(entry);
        bytes += entry.size().bytes();
      }
      return CacheFields.sum("Archived", entries.size(), "", bytes);
    }
  }
}
