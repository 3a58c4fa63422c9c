package dev.semantic.examples.cli;

import dev.semantic.store.CacheEntry;
import dev.semantic.store.CacheView;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** One cache, and what it is like inside. */
@Command(name = "show", description = "Shows one cache: its layers, precision and blocks.")
final class CachesShow extends Subcommand {
  @Mixin private CacheDirectory directory = new CacheDirectory();
  @Mixin private CacheSelection selection = new CacheSelection();

  @Override
  Answer answer() {
    CacheView view = directory.view();
    CacheEntry entry = selection.one(view.list());
    Map<String, @Nullable Object> fields = CacheFields.json(entry, view.show(entry));
    return new Answer(fields, () -> CacheFields.table(fields));
  }
}
