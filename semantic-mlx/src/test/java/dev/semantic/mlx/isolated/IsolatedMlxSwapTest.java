package dev.semantic.mlx.isolated;

import static dev.semantic.scripted.ScriptedHost.assertSays;
import static dev.semantic.scripted.ScriptedHost.said;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.generate.GenerationRequest;
import dev.semantic.generate.GenerationResult;
import dev.semantic.generate.Prompt;
import dev.semantic.kv.AgentId;
import dev.semantic.memory.ByteSize;
import dev.semantic.memory.MemoryBudget;
import dev.semantic.mlx.models.ModelCatalog;
import dev.semantic.mlx.testing.RequiresModels;
import dev.semantic.model.ModelException;
import dev.semantic.model.ModelId;
import dev.semantic.registry.ModelRegistry;
import dev.semantic.store.MemoryCacheStore;
import dev.semantic.swap.ModelSwapException;
import dev.semantic.swap.SwapListener;
import dev.semantic.swap.SwapOutcome;
import dev.semantic.swap.SwapPhase;
import dev.semantic.swap.SwapReport;
import dev.semantic.swap.SwapStrategy;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Swaps of the real models that fail for real: the next model's process meets its end. */
@RequiresModels
class IsolatedMlxSwapTest {
  private static final ModelId SMOL = new ModelId("smollm2-135m-instruct");
  private static final ModelId GEMMA = new ModelId("gemma-3-270m");

  /** Holds the larger model and 128 MiB of caches, but never both. */
  private static final ByteSize TIGHT = ByteSize.ofMiB(1450);

  private static final ByteSize ROOMY = ByteSize.ofMiB(4096);
  private static final int[] PROMPT = {100, 137, 174, 211, 248, 285, 322, 359, 396, 433, 470, 507};

  @TempDir Path directory;
  private final Disturbance disturbance = new Disturbance();
  private IsolatedRuntime runtime = IsolatedRuntime.open();

  @AfterEach
  void nothingIsLeft() {
    List<WorkerProcess> children = runtime.children();
    runtime.close();
    assertTrue(children.stream().noneMatch(worker -> ProcessHandle.of(worker.pid()).isPresent()));
    assertEquals(0, runtime.memory().activeBytes());
  }

  private ModelRegistry registry(ByteSize budget) {
    return ModelRegistry.builder(runtime)
        .caches(new MemoryCacheStore())
        .budget(new MemoryBudget(budget))
        .cacheBytes(ByteSize.ofMiB(128))
        .listener(disturbance)
        .build();
  }

  private static GenerationResult ask(ModelRegistry registry, String agent, int... prompt) {
    GenerationRequest request =
        GenerationRequest.of(new Prompt.Tokens(prompt))
            .agent(new AgentId(agent))
            .maxTokens(4)
            .ignoreEos(true)
            .build();
    return registry.generate(request).await(Troubles.PATIENCE);
  }

  /** A swap that fails while it loads; afterwards all is as before, ada's conversation, too. */
  private ModelSwapException failToSwap(ModelRegistry registry, ModelId target) {
    registry.load(SMOL);
    GenerationResult fresh = ask(registry, "ada", PROMPT);
    int[] ada = said(PROMPT, fresh);
    disturbance.armed = true;
    var failed = assertThrows(ModelSwapException.class, () -> registry.swapWithRollback(target));
    disturbance.armed = false;
    assertEquals(SMOL, failed.serving().orElseThrow().id());
    assertEquals(SMOL, registry.current().orElseThrow().id());
    assertEquals(ada.length - 1, ask(registry, "ada", ada).cachedTokens());
    assertEquals(fresh.tokens(), ask(registry, "bob", PROMPT).tokens());
    return failed;
  }

  private static void assertRolledBackFromLoading(ModelSwapException failed) {
    assertEquals(SwapPhase.LOADING, failed.phase(), failed::toString);
    assertEquals(SwapOutcome.ROLLED_BACK, failed.report().outcome());
  }

  /** As the kernel does when memory runs out. */
  @ParameterizedTest
  @EnumSource(
      value = SwapStrategy.class,
      names = {"MAKE_BEFORE_BREAK", "BREAK_BEFORE_MAKE"})
  void killedInTheMiddleOfItsLoad(SwapStrategy strategy) throws Exception {
    ByteSize budget = strategy == SwapStrategy.MAKE_BEFORE_BREAK ? ROOMY : TIGHT;
    try (ModelRegistry registry = registry(budget)) {
      Set<Long> old = ConcurrentHashMap.newKeySet();
      disturbance.inTheMiddleOfALoad =
          () ->
              Troubles.pids(runtime).stream()
                  .filter(pid -> !old.contains(pid))
                  .forEach(IsolatedMlxSwapTest::kill);
      disturbance.whenPreparing = () -> old.addAll(Troubles.pids(runtime));
      ModelSwapException failed = failToSwap(registry, GEMMA);
      assertRolledBackFromLoading(failed);
      assertEquals(strategy, failed.report().plan().orElseThrow().strategy());
      assertSays("SIGKILL", failed);
      SwapReport again = registry.swapWithRollback(GEMMA);
      assertEquals(GEMMA, again.serving().orElseThrow());
    }
  }

  private static void kill(long pid) {
    ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly);
  }

  /** A process that may have less memory than the larger model takes. */
  @Test
  @EnabledOnOs(OS.LINUX) // where ulimit -d counts what malloc takes
  void itsMemoryRunsOut() throws Exception {
    runtime = IsolatedRuntime.builder().java(poorJava(1_400_000)).heap(ByteSize.ofMiB(128)).open();

    try (ModelRegistry registry = registry(ROOMY)) {
      ModelSwapException failed = failToSwap(registry, GEMMA);
      assertRolledBackFromLoading(failed);
      assertSays("MLX got no memory for", failed);
    }
  }

  /** The smaller model's process takes 1.1 million KiB of data, the larger one's 1.7. */
  private Path poorJava(int kibibytes) throws IOException {
    Path java = Path.of(System.getProperty("java.home"), "bin", "java");
    String script = "#!/bin/sh\nulimit -d %d\nexec '%s' \"$@\"\n".formatted(kibibytes, java);
    Path poor = Files.writeString(directory.resolve("java"), script);
    return Files.setPosixFilePermissions(poor, PosixFilePermissions.fromString("rwx------"));
  }

  /** The file is cut after it was found good: a read error, or SIGBUS where it is mapped. */
  @ParameterizedTest(name = "in the middle of the load: {0}")
  @ValueSource(booleans = {false, true})
  void itsFileIsCut(boolean inTheMiddle) throws Exception {
    Path copy = directory.resolve("gemma.gguf");
    Files.copy(ModelCatalog.ofUser().resolve(GEMMA), copy);
    try (ModelRegistry registry = registry(inTheMiddle ? ROOMY : TIGHT)) {
      if (inTheMiddle) {
        disturbance.inTheMiddleOfALoad = () -> cut(copy);
      } else {
        disturbance.whenLoading = () -> cut(copy);
      }
      ModelSwapException failed = failToSwap(registry, new ModelId(copy.toString()));
      assertRolledBackFromLoading(failed);
      assertSays(copy.toString(), failed);
      assertEquals(
          ModelException.Kind.CHANGED,
          assertInstanceOf(ModelException.class, failed.getCause()).kind());
    }
  }

  private static void cut(Path file) {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      channel.truncate(channel.size() / 3);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void itsFileIsMissing() throws Exception {
    try (ModelRegistry registry = registry(ROOMY)) {
      Path nowhere = directory.resolve("nowhere.gguf");
      ModelSwapException failed = failToSwap(registry, new ModelId(nowhere.toString()));
      assertEquals(SwapPhase.PREPARING, failed.phase());
      assertSays("There is no model", failed);
      assertEquals(1, runtime.children().size(), "a process too many");
    }
  }

  @Test
  void anUnloadGivesBackEverything() throws Exception {
    try (ModelRegistry registry = registry(TIGHT)) {
      registry.load(SMOL);
      ask(registry, "ada", PROMPT);
      assertTrue(runtime.memory().activeBytes() > 500 << 20);
      registry.unload();
      assertEquals(0, runtime.memory().activeBytes());
      assertEquals(0, runtime.memory().cachedBytes());
    }
  }

  /** What is done to a swap, each at its place and once. */
  private static final class Disturbance implements SwapListener {
    private volatile boolean armed;
    private volatile boolean loading;
    private volatile Runnable whenPreparing = () -> {};
    private volatile Runnable whenLoading = () -> {};
    private volatile Runnable inTheMiddleOfALoad = () -> {};

    @Override
    public void phase(SwapPhase phase) {
      loading = armed && phase == SwapPhase.LOADING;
      if (armed && phase == SwapPhase.PREPARING) {
        whenPreparing.run();
      } else if (loading) {
        whenLoading.run();
      }
    }

    @Override
    public void progress(ByteSize done, ByteSize total) {
      if (loading && done.bytes() > total.bytes() / 4) {
        loading = false;
        inTheMiddleOfALoad.run();
      }
    }
  }
}
