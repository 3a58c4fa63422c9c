package dev.semantic.examples.cli;

import dev.semantic.examples.terminal.Terminal;
import dev.semantic.journal.FileSwapJournal;
import dev.semantic.journal.InterruptedSwap;
import dev.semantic.memory.ByteSize;
import dev.semantic.memory.MemoryBudget;
import dev.semantic.model.ModelId;
import dev.semantic.registry.ModelRegistry;
import dev.semantic.registry.RegistryBuilder;
import dev.semantic.spi.ModelRuntime;
import dev.semantic.store.CacheKey;
import dev.semantic.store.DiskCacheStore;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** What the commands that swap have in common: where models run, and where caches lie. */
final class RegistryOptions {
  @Option(
      names = "--cache-dir",
      paramLabel = "D",
      description =
          "Where agents' caches and the swap journal are kept for the next run; without, both"
              + " end with this one.")
  private @Nullable Path cacheDirectory;

  @Mixin private KeyFile keyFile = new KeyFile();

  @Option(
      names = "--budget",
      paramLabel = "SIZE",
      description =
          "Memory for models and caches, for example 1500MiB; an eighth of it, at most 1 GiB, is"
              + " for caches. Too little for two models makes the old one leave first. Default:"
              + " what the device recommends, or three"
              + " quarters of the machine's.")
  private @Nullable String budget;

  @Option(
      names = "--isolated",
      description = "Run each model in a process of its own, which may die without this one.")
  private boolean isolated;

  /**
   * Asks of the words what can be asked before anything is opened.
   *
   * @throws picocli.CommandLine.ParameterException if one makes no sense
   */
  void check(Subcommand command) {
    if (budget != null) {
      Budgets.parsed(command, budget);
    }
    if (cacheDirectory == null && keyFile.isNamed()) {
      throw command.misuse("--key-file is the key of what lies in --cache-dir; name that, too");
    }
  }

  /**
   * Makes sure that there is such a model, fetching it if it is the catalogue's or a hub's and the
   * budget holds it.
   *
   * @throws dev.semantic.model.ModelException if there is none
   */
  void find(Terminal terminal, ModelId id) {
    MemoryCheck.requireFit(id, given().orElseGet(MemoryBudget::ofSystem), MemoryCheck.MORE);
    ModelCommand.fetchIfMissing(terminal, id);
  }

  private Optional<MemoryBudget> given() {
    return Optional.ofNullable(budget).map(size -> new MemoryBudget(ByteSize.parse(size)));
  }

  @Nullable Path cacheDirectory() {
    return cacheDirectory;
  }

  ModelRuntime openRuntime() {
    return Runtimes.open(isolated, given());
  }

  /** The caches on disk; null without a directory. */
  @Nullable DiskCacheStore openCaches() {
    return cacheDirectory == null
        ? null
        : keyFile.open(DiskCacheStore.builder(cacheDirectory), cacheDirectory);
  }

  /**
   * The key of the caches, if one was named.
   *
   * @throws dev.semantic.store.CacheException if its file cannot be read, or holds no key
   */
  Optional<CacheKey> key() {
    return keyFile.key();
  }

  /** A registry as these options have it, with no model yet. */
  RegistryBuilder registry(ModelRuntime runtime, @Nullable DiskCacheStore caches) {
    ByteSize eighth = new ByteSize(runtime.budget().total().bytes() / 8);
    ByteSize most = ByteSize.ofGiB(1);
    RegistryBuilder builder =
        ModelRegistry.builder(runtime).cacheBytes(eighth.compareTo(most) < 0 ? eighth : most);
    if (caches != null && cacheDirectory != null) {
      builder.caches(caches).journal(FileSwapJournal.open(cacheDirectory.resolve("swap.journal")));
    }
    return builder;
  }

  /** Says what the last run with this directory was in the middle of. */
  static void tellInterrupted(ModelRegistry registry, PrintStream err) throws IOException {
    registry
        .interruptedSwap()
        .map(InterruptedSwap::toString)
        .ifPresent(swap -> err.println("The last run ended in the middle of " + swap));
  }
}
