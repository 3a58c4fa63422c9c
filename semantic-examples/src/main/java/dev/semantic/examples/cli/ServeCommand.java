package dev.semantic.examples.cli;

import dev.semantic.examples.server.Server;
import dev.semantic.examples.server.ServerOptions;
import dev.semantic.examples.server.admin.SwapEvents;
import dev.semantic.examples.server.clients.ModelPolicy;
import dev.semantic.model.ModelId;
import dev.semantic.pip.PipModels;
import dev.semantic.registry.ModelRegistry;
import dev.semantic.spi.ModelRuntime;
import dev.semantic.store.DiskCacheStore;
import java.time.Duration;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import org.jline.utils.Signals;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** Models over HTTP. */
@Command(
    name = "serve",
    description = {
      "Serves a model over HTTP, and lets an admin exchange it while clients go on.",
      "It ends when it is told to (Ctrl-C, SIGTERM): what is being answered comes to its end, and"
          + " agents are parked."
    },
    footer = {
      "",
      "Environment: ADMIN_API_KEY is what an admin must show; without, only programs of this"
          + " machine are admins. API_KEYS, separated by commas, is what clients must show."
    })
final class ServeCommand extends Subcommand {
  @Option(
      names = "--model",
      paramLabel = "MODEL",
      description = "The model that begins; without, none serves until an admin swaps to one.")
  private @Nullable String model;

  @Option(
      names = "--host",
      paramLabel = "ADDRESS",
      description = "Where it listens; default ${DEFAULT-VALUE}, which other machines don't reach.")
  private String host = "127.0.0.1";

  @Option(
      names = "--port",
      paramLabel = "N",
      description = "The port; 0 for any that is free. Default ${DEFAULT-VALUE}.")
  private int port = 8080;

  @Option(
      names = "--open",
      description = "Clients of other machines need no key, though --host lets them reach it.")
  private boolean open;

  @Option(
      names = "--other-models",
      paramLabel = "refuse|queue|auto",
      converter = PolicyWord.class,
      description =
          "What becomes of requests that name another model than the one that serves: they are"
              + " refused, wait for it, or have it swapped to when its turn comes. Default:"
              + " refuse.")
  private ModelPolicy policy = ModelPolicy.REFUSE;

  @Option(
      names = "--alias",
      paramLabel = "NAME=MODEL",
      description = "Another name of a model, for clients that know one name only.")
  private Map<String, String> aliases = new LinkedHashMap<>();

  @Option(
      names = "--max-body",
      paramLabel = "BYTES",
      description = "The longest request body; default ${DEFAULT-VALUE}.")
  private int maxBody = ServerOptions.LOCAL.maxBody();

  @Option(
      names = "--max-wait",
      paramLabel = "TIME",
      converter = TimeSpan.class,
      description = "How long a request waits for its turn or a swap; default ${DEFAULT-VALUE}.")
  private Duration maxWait = ServerOptions.LOCAL.maxWait();

  @Mixin private RegistryOptions registryOptions = new RegistryOptions();

  /** As people write it. */
  static final class PolicyWord implements ITypeConverter<ModelPolicy> {
    @Override
    public ModelPolicy convert(String word) {
      return Arrays.stream(ModelPolicy.values())
          .filter(policy -> policy.name().toLowerCase(Locale.ROOT).equals(word))
          .findFirst()
          .orElseThrow(() -> new TypeConversionException("It must be refuse, queue or auto"));
    }
  }

  @Override
  Answer answer() throws java.io.IOException {
    if (json()) {
      throw misuse("A server has no --json; what it answers is JSON");
    }
    registryOptions.check(this);
    ServerOptions options = serverOptions();
    ModelId first = model == null ? null : new ModelId(model);
    if (first != null) {
      registryOptions.find(terminal(), first);
    }
    SwapEvents events = new SwapEvents();
    try (ServedTokens tokens = new ServedTokens();
        ModelRuntime runtime = registryOptions.openRuntime();
        DiskCacheStore caches = registryOptions.openCaches();
        ModelRegistry registry =
            registryOptions.registry(runtime, caches).listener(events).build()) {
      RegistryOptions.tellInterrupted(registry, terminal().err());
      CountDownLatch told = new CountDownLatch(1);
      Signals.register("TERM", told::countDown);
      Signals.register("INT", told::countDown);
      try (Server server = Server.start(options, served(registry, events, caches, tokens))) {
        if (first != null) {
          registry.load(first);
        }
        terminal().err().printf("Serving at http://%s:%d%n", host, server.port());
        told.await();
        end(server, registry);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
    return new Answer(Map.of(), () -> "");
  }

  /**
   * Health is told, and answers are read, until the last of them is given and agents are parked.
   */
  private static void end(Server server, ModelRegistry registry) {
    server.refuse();
    registry.close();
  }

  private static Server.Served served(
      ModelRegistry registry,
      SwapEvents events,
      @Nullable DiskCacheStore caches,
      ServedTokens tokens) {
    return new Server.Served(
        registry,
        events,
        caches,
        tokens,
        () -> ModelForm.available(PipModels.catalog()).stream().map(ModelForm::json).toList());
  }

  private ServerOptions serverOptions() {
    if (maxBody < 1) {
      throw misuse("--max-body must be 1 or more; it is " + maxBody);
    }
    String keys = System.getenv().getOrDefault("API_KEYS", "");
    List<String> clients =
        Arrays.stream(keys.split(",", -1)).map(String::strip).filter(k -> !k.isEmpty()).toList();
    Optional<String> admin =
        Optional.ofNullable(System.getenv("ADMIN_API_KEY")).filter(key -> !key.isBlank());
    try {
      return new ServerOptions(host, port, admin, clients, open, policy, aliases, maxBody, maxWait);
    } catch (IllegalArgumentException e) {
      throw misuse(String.valueOf(e.getMessage()));
    }
  }
}
