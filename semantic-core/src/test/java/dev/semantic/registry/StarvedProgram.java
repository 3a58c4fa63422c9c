package dev.semantic.registry;

import dev.semantic.generate.EngineMode;
import dev.semantic.generate.Generation;
import dev.semantic.generate.GenerationRequest;
import dev.semantic.generate.GenerationResult;
import dev.semantic.generate.Prompt;
import dev.semantic.generate.RequestException;
import dev.semantic.kv.AgentId;
import dev.semantic.memory.ByteSize;
import dev.semantic.memory.MemoryBudget;
import dev.semantic.model.ModelSpec;
import dev.semantic.scripted.Geometry;
import dev.semantic.scripted.ScriptedHost;
import dev.semantic.scripted.ScriptedRuntime;
import dev.semantic.swap.ModelSwapException;
import dev.semantic.swap.SwapOutcome;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A host whose other half takes all of the heap for a moment and gives it back, again and again,
 * while agents ask and the model is changed. Says what is wrong and ends with 1, or ends with 0
 * because nothing is. What it does while there is no memory takes none.
 */
final class StarvedProgram {
  private static final int AGENTS = 6;
  private static final int ROUNDS = 3; // without a swap in the last
  private static final long HUNGER = Duration.ofMillis(100).toNanos();
  private static final long LONGEST_HUNGER = 10 * HUNGER;
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final Set<String> THREADS =
      Set.of("semantic-engine", "semantic-watchdog", "semantic-keeper");

  private static volatile @Nullable Object hog;
  private static volatile boolean hungry;
  private static volatile @Nullable String wrong;

  private final ModelRegistry registry =
      ModelRegistry.builder(new ScriptedRuntime())
          .budget(new MemoryBudget(ScriptedHost.TIGHT))
          .cacheBytes(ByteSize.parse("128KiB"))
          .engine(ScriptedHost.engine(AGENTS, true))
          .keepAlive(KeepAlivePolicy.idleFor(Duration.ofHours(1)))
          .build();
  private volatile boolean over;
  private volatile boolean felt; // somebody had no memory

  private StarvedProgram() {}

  public static void main(String[] arguments) throws Exception {
    StarvedProgram program = new StarvedProgram();
    Thread.setDefaultUncaughtExceptionHandler(
        (thread, thrown) -> program.require(false, "a thread died"));
    try {
      program.live();
    } catch (Throwable t) {
      t.printStackTrace(System.out);
      program.require(false, "it was thrown: " + t);
    }
    Runtime.getRuntime().halt(wrong == null ? 0 : 1);
  }

  private void live() throws Exception {
    live(Geometry.ALPHA, Geometry.BETA, Geometry.ALPHA, Geometry.BETA, Geometry.ALPHA);
    for (int i = 0; i < AGENTS; i++) {
      GenerationRequest request = request("agent-" + i, i);
      Thread.ofPlatform().daemon().name("host " + i).start(() -> converse(request));
    }
    for (int round = 0; round < ROUNDS && wrong == null; round++) {
      Thread swap = swap(round);
      starve();
      awaitMemory();
      swap.join(PATIENCE);
      require(!swap.isAlive(), "a swap came to no end");
      revive();
      works();
      Set<String> living =
          Thread.getAllStackTraces().keySet().stream()
              .map(Thread::getName)
              .collect(Collectors.toSet());
      require(living.containsAll(THREADS), "a thread died: only these live: " + living);
    }
    Geometry next = present() == Geometry.ALPHA ? Geometry.BETA : Geometry.ALPHA;
    require(registry.swapWithRollback(next.id()).outcome() == SwapOutcome.SWAPPED, "no swap works");
    works();
    over = true;
    Thread closing = Thread.ofPlatform().daemon().start(registry::close);
    closing.join(PATIENCE);
    require(!closing.isAlive(), "close() came to no end");
  }

  /**
   * Everything once with enough memory. A call site that is linked for the first time while there
   * is none may stay broken as long as the process lives, by the JVM's own rules (JVMS 5.4.3), and
   * no host can mend that.
   */
  private void live(Geometry first, Geometry... others) throws Exception {
    registry.load(first.id());
    end(registry.generate(request("agent-0", 0)));
    for (Geometry next : others) {
      registry.swapWithRollback(next.id());
      end(registry.generate(request("agent-0", 0)));
      works();
    }
  }

  private void require(boolean holds, String otherwise) {
    if (!holds && wrong == null) {
      wrong = otherwise;
      System.out.println("Wrong: " + otherwise + ", " + registry.status());
      Thread.getAllStackTraces()
          .forEach((thread, at) -> System.out.println(thread + " " + List.of(at)));
    }
  }

  private static GenerationRequest request(String agent, int seed) {
    return GenerationRequest.of(new Prompt.Tokens(ScriptedHost.tokens(60, seed)))
        .agent(new AgentId(agent))
        .maxTokens(100)
        .ignoreEos(true)
        .build();
  }

  /** Asks the same again and again; each request ends. */
  private void converse(GenerationRequest request) {
    while (!over && wrong == null) {
      try {
        end(registry.generate(request));
      } catch (RequestException refused) {
        require(refused.kind() != null, "refused without a kind");
        felt |= refused.getCause() instanceof OutOfMemoryError;
        LockSupport.parkNanos(1_000_000);
      } catch (OutOfMemoryError e) {
        felt = true;
        LockSupport.parkNanos(1_000_000);
      }
    }
  }

  /** The answer, however long there is no memory even to wait for it. */
  private GenerationResult end(Generation generation) {
    long since = System.nanoTime();
    while (!generation.isDone() && System.nanoTime() - since < PATIENCE.toNanos()) {
      LockSupport.parkNanos(200_000);
      since = hungry ? System.nanoTime() : since;
    }
    require(generation.isDone(), "a request came to no end");
    return generation.await(PATIENCE);
  }

  /** It ends somehow. */
  private Thread swap(int round) {
    Geometry next = present() == Geometry.ALPHA ? Geometry.BETA : Geometry.ALPHA;
    return Thread.ofPlatform()
        .daemon()
        .start(
            () -> {
              if (round < ROUNDS - 1) {
                try {
                  registry.swapWithRollback(next.id());
                } catch (ModelSwapException | OutOfMemoryError told) {
                  felt = true;
                }
              }
            });
  }

  private Geometry present() {
    return Geometry.of(registry.current().orElseThrow().tag());
  }

  /** Until somebody has felt it there is no memory; what others give back is taken as well. */
  private void starve() {
    felt = false;
    hungry = true;
    long begun = System.nanoTime();
    while (hungry) {
      try {
        hold(begun);
        hog = null;
        hungry = false;
      } catch (OutOfMemoryError e) { // which the VM may throw wherever it likes
        Thread.onSpinWait();
      }
    }
  }

  /** What was taken has been given back, which a collector may take a moment to see. */
  private static void awaitMemory() {
    long since = System.nanoTime();
    boolean there = false;
    while (!there && System.nanoTime() - since < PATIENCE.toNanos()) {
      try {
        there = new byte[1 << 20].length > 0;
      } catch (OutOfMemoryError e) {
        LockSupport.parkNanos(1_000_000);
      }
    }
  }

  private void hold(long begun) {
    for (int largest = 1 << 18;
        System.nanoTime() - begun < (felt ? HUNGER : LONGEST_HUNGER);
        largest = 64) {
      takeAll(largest);
    }
  }

  private static void takeAll(int largest) {
    for (int size = largest; size >= 2; size /= 8) {
      try {
        while (true) {
          Object[] more = new Object[size];
          more[0] = hog;
          hog = more;
        }
      } catch (OutOfMemoryError e) {
        Thread.onSpinWait();
      }
    }
  }

  /** There is memory again; what could not go on without it says so, and can be helped. */
  private void revive() throws ModelSwapException {
    Optional<ModelSpec> serving = registry.current();
    if (serving.isEmpty()) {
      registry.load(Geometry.ALPHA.id());
    } else if (registry.status().engine() == EngineMode.FAILED) {
      registry.swapWithRollback(serving.get().id(), SwapOptions.builder().reload(true).build());
    }
  }

  private void works() {
    GenerationRequest request = request("new", 77);
    GenerationResult answer = end(registry.generate(request));
    List<Integer> right =
        Geometry.of(answer.model()).answer(ScriptedHost.tokens(60, 77), 100, true);
    require(answer.tokens().equals(right), "a wrong answer");
  }
}
