package dev.semantic.examples.cli;

import dev.semantic.kv.AgentId;
import dev.semantic.kv.KvEncoding;
import dev.semantic.memory.ByteSize;
import dev.semantic.model.ModelException;
import dev.semantic.model.ModelSpec;
import dev.semantic.registry.ModelRegistry;
import dev.semantic.store.DiskCacheStore;
import dev.semantic.store.ParkedCache;
import dev.semantic.swap.ModelSwapException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** Whose memory an answer belongs to, and where it is kept from one run to the next. */
final class AgentCacheOptions {
  @Option(
      names = "--agent",
      paramLabel = "ID",
      required = true,
      description = "Go on with what this agent holds, and keep what it holds then.")
  private String agent = "";

  @Option(
      names = "--cache-dir",
      paramLabel = "D",
      required = true,
      description = "Where agents' caches are kept from one run to the next.")
  private Path directory = Path.of("");

  @Option(
      names = "--kv",
      paramLabel = "exact|q8|q4",
      converter = Encoding.class,
      description =
          "How numbers are kept there: as they were computed, or in 8 or 4 bits, which takes less"
              + " room and alters them a little; default exact.")
  private KvEncoding encoding = KvEncoding.EXACT;

  @ArgGroup(exclusive = false)
  private @Nullable KeyFile keyFile;

  /** Reads an encoding's name. */
  private static final class Encoding implements ITypeConverter<KvEncoding> {
    @Override
    public KvEncoding convert(String word) {
      return Arrays.stream(KvEncoding.values())
          .filter(each -> each.name().toLowerCase(Locale.ROOT).equals(word))
          .findFirst()
          .orElseThrow(
              () -> new TypeConversionException("'" + word + "' is none of exact, q8 and q4"));
    }
  }

  /**
   * The agent.
   *
   * @throws picocli.CommandLine.ParameterException if no agent can be called that
   */
  AgentId agent(Subcommand command) {
    try {
      return new AgentId(agent);
    } catch (IllegalArgumentException e) {
      throw command.misuse("--agent: " + e.getMessage());
    }
  }

  DiskCacheStore open() {
    KeyFile key = keyFile == null ? new KeyFile() : keyFile;
    return key.open(DiskCacheStore.builder(directory).encoding(encoding), directory);
  }

  /**
   * Parks what the agent holds, and ends its model.
   *
   * @return what it occupies on the disk
   * @throws ModelException if it could not be parked
   */
  static ByteSize park(ModelRegistry registry, DiskCacheStore caches, AgentId agent) {
    ModelSpec served = registry.current().orElseThrow();
    try {
      registry.unload();
    } catch (ModelSwapException e) {
      throw new ModelException(
          ModelException.Kind.of(e),
          "What %s holds was not kept: %s".formatted(agent, e.getMessage()),
          e);
    }
    return caches.parked(served.tag()).stream()
        .filter(cache -> cache.agent().equals(agent))
        .map(ParkedCache::size)
        .findFirst()
        .orElse(ByteSize.ZERO);
  }
}
