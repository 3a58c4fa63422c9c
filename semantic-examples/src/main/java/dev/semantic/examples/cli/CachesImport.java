package dev.semantic.examples.cli;

import dev.semantic.examples.terminal.PlainText;
import dev.semantic.kv.AgentId;
import dev.semantic.mlx.MlxModelRuntime;
import dev.semantic.model.ModelId;
import dev.semantic.model.ModelTag;
import dev.semantic.spi.PreparedModel;
import dev.semantic.store.CacheImport;
import dev.semantic.store.DiskCacheStore;
import dev.semantic.store.ParkedCache;
import java.nio.file.Path;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** A cache that comes from elsewhere. */
@Command(
    name = "import",
    description =
        "Takes in what 'caches export' wrote; refused if it is damaged, or another model's.")
final class CachesImport extends Subcommand {
  @Mixin private CacheDirectory directory = new CacheDirectory();

  @Parameters(index = "0", paramLabel = "FILE", description = "An exported cache.")
  private Path file = Path.of("");

  @Option(
      names = "--model",
      paramLabel = "MODEL",
      description =
          "The model that is to use it, a file or a name of 'semantic models'; read only for its"
              + " fingerprint. Without, the cache must not be of another model than those of that"
              + " name in the directory.")
  private @Nullable String model;

  @Option(
      names = "--agent",
      paramLabel = "ID",
      description = "Whose it is to be; without, whose it was.")
  private @Nullable String agent;

  @Option(names = "--replace", description = "Replace what the agent has there.")
  private boolean replace;

  @Override
  Answer answer() {
    CacheImport parcel = CacheImport.of(file).withReplacing(replace);
    if (agent != null) {
      parcel = parcel.as(agent(agent));
    }
    if (model != null) {
      parcel = parcel.expecting(tag(new ModelId(model)));
    }
    try (DiskCacheStore store = directory.openOrMake()) {
      ParkedCache cache = store.importFrom(parcel);
      Map<String, Object> fields = CacheFields.json(cache, cache.size(), file.toString());
      return new Answer(
          fields,
          () ->
              "Imported %d tokens of %s for %s"
                  .formatted(cache.tokens(), PlainText.name(cache.agent().name()), cache.tag()));
    }
  }

  private AgentId agent(String name) {
    try {
      return new AgentId(name);
    } catch (IllegalArgumentException e) {
      throw misuse("--agent: " + e.getMessage());
    }
  }

  /** From its headers; no weight is read. */
  private static ModelTag tag(ModelId id) {
    try (MlxModelRuntime runtime = MlxModelRuntime.open();
        PreparedModel prepared = runtime.prepare(id)) {
      return prepared.spec().tag();
    }
  }
}
