package dev.semantic.examples.cli;

import dev.semantic.memory.ByteSize;
import dev.semantic.store.CacheEntry;
import dev.semantic.store.DiskCacheStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Caches that are not wanted any more. */
@Command(
    name = "purge",
    description = {
      "Removes caches for good; says first what that would be.",
      "What was said in 'chat' goes with them, unless --model or --state narrow it."
    })
final class CachesPurge extends Subcommand {
  @Mixin private CacheDirectory directory = new CacheDirectory();
  @Mixin private CacheSelection selection = new CacheSelection();

  @Option(names = "--all", description = "All: live, archived and quarantined ones.")
  private boolean all;

  @Option(names = "--yes", description = "Do it; without, nothing is removed.")
  private boolean yes;

  @Override
  Answer answer() throws IOException {
    if (selection.isEmpty() && !all) {
      throw misuse("say which, by --agent, --model, --state or --older-than, or --all");
    }
    List<CacheEntry> meant = selection.of(directory.view().list());
    List<Path> said = selection.of(directory.conversations(), directory.key());
    if (!yes) {
      long bytes = meant.stream().mapToLong(entry -> entry.size().bytes()).sum();
      throw misuse(
          "this would remove %d caches%s for good, up to %s; add --yes if that is meant"
              .formatted(meant.size(), conversations(said), new ByteSize(bytes)));
    }
    long freed = 0;
    try (DiskCacheStore store = directory.open()) {
      List<CacheEntry> entries = selection.of(store.maintenance().list());
      for (CacheEntry entry : entries) {
        freed += store.maintenance().purge(entry).bytes();
      }
      for (Path file : said) {
        freed += Files.size(file);
        Files.delete(file);
      }
      return CacheFields.sum("Removed", entries.size(), conversations(said), freed);
    }
  }

  private static String conversations(List<Path> said) {
    return said.isEmpty() ? "" : " and %d conversations".formatted(said.size());
  }
}
