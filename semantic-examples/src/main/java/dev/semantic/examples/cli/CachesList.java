package dev.semantic.examples.cli;

import dev.semantic.store.CacheEntry;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** What there is. */
@Command(name = "list", description = "Lists caches: live, archived and quarantined ones.")
final class CachesList extends Subcommand {
  @Mixin private CacheDirectory directory = new CacheDirectory();
  @Mixin private CacheSelection selection = new CacheSelection();

  @Override
  Answer answer() {
    List<CacheEntry> entries = selection.of(directory.view().list());
    return new Answer(
        Map.of("caches", entries.stream().map(CacheFields::json).toList()),
        () -> CacheFields.table(entries));
  }
}
