package dev.semantic.examples.cli;

import dev.semantic.memory.ByteSize;
import dev.semantic.store.CacheEntry;
import dev.semantic.store.CacheState;
import dev.semantic.store.CacheView;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** One agent's cache, to be taken elsewhere. */
@Command(
    name = "export",
    description =
        "Writes one cache to one file, for 'caches import' on another machine. The agent's tokens"
            + " lie in it.")
final class CachesExport extends Subcommand {
  @Mixin private CacheDirectory directory = new CacheDirectory();
  @Mixin private CacheSelection selection = new CacheSelection();

  @Option(names = "--out", paramLabel = "FILE", required = true, description = "The file to write.")
  private Path out = Path.of("");

  @Option(names = "--overwrite", description = "Replace a file that is there.")
  private boolean overwrite;

  @Override
  Answer answer() {
    CacheView view = directory.view();
    CacheEntry entry =
        selection.one(
            view.list().stream().filter(e -> e.state() != CacheState.QUARANTINED).toList());
    if (Files.exists(out) && !(overwrite && Files.isRegularFile(out))) {
      throw new IllegalStateException(
          "%s is there already; choose another name%s"
              .formatted(out, Files.isRegularFile(out) ? ", or replace it by --overwrite" : ""));
    }
    ByteSize size = view.export(entry, out);
    Map<String, Object> fields =
        CacheFields.json(entry.cache().orElseThrow(), size, out.toString());
    return new Answer(fields, () -> "Exported %s to %s".formatted(size, out));
  }
}
