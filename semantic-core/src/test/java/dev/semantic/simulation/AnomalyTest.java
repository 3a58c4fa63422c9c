package dev.semantic.simulation;

import static dev.semantic.scripted.ScriptedHost.PATIENCE;
import static dev.semantic.scripted.ScriptedHost.tokens;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.generate.Generation;
import dev.semantic.generate.GenerationRequest;
import dev.semantic.generate.GenerationResult;
import dev.semantic.generate.Prompt;
import dev.semantic.generate.RequestException;
import dev.semantic.journal.FileSwapJournal;
import dev.semantic.memory.ByteSize;
import dev.semantic.model.ModelException;
import dev.semantic.model.ModelSpec;
import dev.semantic.registry.RegistryBuilder;
import dev.semantic.registry.RegistryStatus.Activity;
import dev.semantic.registry.Simulated;
import dev.semantic.scripted.Geometry;
import dev.semantic.scripted.ScriptedHost;
import dev.semantic.store.DiskCacheStore;
import dev.semantic.store.disk.Fault;
import dev.semantic.store.disk.FaultyDisk;
import dev.semantic.swap.ModelSwapException;
import dev.semantic.swap.SwapListener;
import dev.semantic.swap.SwapPhase;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.extension.AnnotatedElementContext;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.io.TempDirFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The first thing that a swap does goes wrong, the second, the third, … whatever it is, once or
 * from then on, until a swap passes untouched; as SQLite's tests do it, and in virtual time. After
 * each something serves, nobody has forgotten anything, and nothing is left.
 */
class AnomalyTest {
  private static final int MOST = 2000;

  private final PrintStream log = System.err;

  @TempDir(factory = Memory.class)
  Path directory;

  /**
   * Where Linux keeps files in memory: a disk takes its time over each of many thousand renames.
   */
  static final class Memory implements TempDirFactory {
    @Override
    public Path createTempDirectory(AnnotatedElementContext element, ExtensionContext context)
        throws IOException {
      Path memory = Path.of("/dev/shm");
      return Files.isWritable(memory)
          ? Files.createTempDirectory(memory, "anomaly")
          : Files.createTempDirectory("anomaly");
    }
  }

  /** Hundreds of faults are logged here, as they should be, and are nobody's to read. */
  @BeforeEach
  void dropTheLog() {
    System.setErr(new PrintStream(OutputStream.nullOutputStream(), true, StandardCharsets.UTF_8));
  }

  @AfterEach
  void logAgain() {
    System.setErr(log);
  }

  /** What goes wrong, and that it did. */
  private interface Trouble {
    void begin();

    /** Ends it; returns what a swap did meanwhile. */
    List<String> end();
  }

  static Stream<Arguments> ways() {
    return Stream.of(ScriptedHost.ROOMY, ScriptedHost.TIGHT)
        .flatMap(budget -> Stream.of(false, true).map(lasts -> Arguments.of(budget, lasts)));
  }

  static Stream<Arguments> waysToFail() {
    List<Supplier<Throwable>> failures =
        List.of(
            () -> new ModelException(ModelException.Kind.FAILED, "injected"),
            () -> new IllegalStateException("injected"),
            () -> new OutOfMemoryError("injected"));
    return ways()
        .flatMap(
            way ->
                failures.stream()
                    .map(failure -> Arguments.of(way.get()[0], way.get()[1], failure)));
  }

  @ParameterizedTest(name = "budget {0}, for good: {1}")
  @MethodSource("ways")
  void whicheverFileOperationFails(ByteSize budget, boolean lasts) throws Exception {
    FaultyDisk disk = FaultyDisk.create();
    Map<String, int[]> said = new TreeMap<>();
    int n = 1;
    for (boolean untouched = false; !untouched; n++) {
      untouched = swapOnFailingDisk(disk, budget, n, lasts, said);
      assertTrue(n < MOST, "a swap that does so much never ends");
    }
    assertTrue(n > 100, "too few file operations: " + n);
  }

  /**
   * Every swap is in a process of its own, as it were: it has what those before left on the disk.
   *
   * @param said filled by the first
   * @return whether nothing failed
   */
  private boolean swapOnFailingDisk(
      FaultyDisk disk, ByteSize budget, int n, boolean lasts, Map<String, int[]> said)
      throws Exception {
    Trouble trouble =
        new Trouble() {
          @Override
          public void begin() {
            disk.inject(lasts ? Fault.from(n) : Fault.once(n));
          }

          @Override
          public List<String> end() {
            List<String> operations = disk.operations();
            disk.inject(Fault.NONE);
            return operations;
          }
        };
    Path root = disk.path(directory.resolve("root"));
    try (DiskCacheStore store = DiskCacheStore.open(root);
        FileSwapJournal journal = FileSwapJournal.open(root.resolve("swap.journal"))) {
      assertNothingPilesUp();
      Trial trial = new Trial(n, budget, builder -> builder.caches(store).journal(journal), said);
      List<String> done = trial.run(trouble);
      assertTrue(trial.served(), () -> "a disk failed, and nothing served: " + failed(done, n));
      return done.size() < n;
    }
  }

  private static String failed(List<String> done, int n) {
    return done.size() < n ? "nothing" : n + ", " + done.get(n - 1);
  }

  private void assertNothingPilesUp() throws IOException {
    try (Stream<Path> files = Files.walk(directory)) {
      List<String> names = files.map(file -> file.getFileName().toString()).toList();
      assertTrue(names.stream().noneMatch(name -> name.endsWith(".tmp")), names::toString);
      assertTrue(names.stream().noneMatch(name -> name.equals(".quarantine")), names::toString);
    }
  }

  @ParameterizedTest(name = "budget {0}, for good: {1}")
  @MethodSource("waysToFail")
  void whicheverCallOfAPortFails(ByteSize budget, boolean lasts, Supplier<Throwable> failure)
      throws Exception {
    int n = 1;
    for (boolean untouched = false; !untouched; n++) {
      untouched = swapWithFailingPorts(budget, n, lasts, failure);
      assertTrue(n < MOST, "a swap that does so much never ends");
    }
    assertTrue(n > 25, "too few calls: " + n);
  }

  private static boolean swapWithFailingPorts(
      ByteSize budget, int n, boolean lasts, Supplier<Throwable> failure) throws Exception {
    CountedPorts ports = new CountedPorts();
    Trouble trouble =
        new Trouble() {
          @Override
          public void begin() {
            ports.fail(n, lasts, failure);
          }

          @Override
          public List<String> end() {
            return ports.heal();
          }
        };
    Trial trial =
        new Trial(
            n,
            budget,
            builder -> Simulated.over(ports::over, ports::over, builder),
            new TreeMap<>());
    List<String> done = trial.run(trouble);
    assertTrue(
        trial.served() || lasts, () -> "one failure, and nothing served: " + failed(done, n));
    return done.size() < n;
  }

  /** Agents under two models, and a swap between them that fails. */
  private static final class Trial {
    private final SimulatedTimeline time;
    private final ByteSize budget;
    private final UnaryOperator<RegistryBuilder> more;
    private final Map<String, int[]> said;
    private boolean served;

    /**
     * With what each agent, of the model that its name ends with, has said before; nothing for a
     * first conversation.
     */
    Trial(int n, ByteSize budget, UnaryOperator<RegistryBuilder> more, Map<String, int[]> said) {
      this.time = new SimulatedTimeline(n, 10);
      this.budget = budget;
      this.more = more;
      this.said = said;
    }

    /** Whether something served after the swap. */
    boolean served() {
      return served;
    }

    List<String> run(Trouble trouble) throws Exception {
      List<String> done = swapIn(trouble);
      time.pause(Duration.ofMinutes(1));
      assertEquals(List.of(), time.living(), "threads that did not end");
      return done;
    }

    private List<String> swapIn(Trouble trouble) throws Exception {
      Visitor visitor = new Visitor();
      try (ScriptedHost host =
          new ScriptedHost(
              budget, builder -> Simulated.in(time, more.apply(builder)).listener(visitor))) {
        assertEquals(Optional.empty(), host.registry.interruptedSwap());
        converse(host);
        visitor.comesTo(host);
        trouble.begin();
        Optional<ModelSpec> serving = swap(host);
        List<String> done = trouble.end();
        served = serving.isPresent();
        assertEquals(serving, host.registry.current(), "the exception and the registry disagree");
        if (serving.isEmpty()) {
          assertEquals(Activity.FAILED, host.registry.status().activity());
          host.registry.load(Geometry.ALPHA.id());
        }
        visitor.awaitAnswer();
        host.ask(nobodys(tokens(9, 9))).await(PATIENCE); // the house checks what it says
        remember(host, said);
        return done;
      }
    }

    private void converse(ScriptedHost host) throws ModelSwapException {
      if (!said.isEmpty()) {
        host.registry.load(Geometry.ALPHA.id());
        remember(host, said, Geometry.ALPHA);
        return;
      }
      host.registry.load(Geometry.BETA.id());
      ask(host, "eve of beta", tokens(20, 3));
      host.registry.swapWithRollback(Geometry.ALPHA.id());
      ask(host, "ada of alpha", tokens(40, 1));
      ask(host, "bob of alpha", tokens(20, 2));
    }

    private void ask(ScriptedHost host, String agent, int[] prompt) {
      said.put(agent, ScriptedHost.said(prompt, host.ask(agent, prompt)));
    }
  }

  private static Optional<ModelSpec> swap(ScriptedHost host) {
    try {
      host.registry.swapWithRollback(Geometry.BETA.id());
      return Optional.of(Geometry.BETA.spec());
    } catch (ModelSwapException failed) {
      return failed.serving();
    } catch (Throwable raw) { // JUnit would end the run for an OutOfMemoryError
      throw new AssertionError("A failure came through as it was", raw);
    }
  }

  private static void remember(ScriptedHost host, Map<String, int[]> said)
      throws ModelSwapException {
    for (Geometry model : List.of(Geometry.BETA, Geometry.ALPHA)) {
      if (!host.registry.current().orElseThrow().id().equals(model.id())) {
        host.registry.swapWithRollback(model.id());
      }
      remember(host, said, model);
    }
  }

  /** All of a conversation but its last token, which was said and never computed. */
  private static void remember(ScriptedHost host, Map<String, int[]> said, Geometry model) {
    said.forEach(
        (agent, tokens) -> {
          if (agent.endsWith(model.id().name())) {
            GenerationResult result = host.ask(agent, tokens);
            assertEquals(tokens.length - 1, result.cachedTokens(), () -> agent + " forgot");
          }
        });
  }

  private static GenerationRequest nobodys(int[] prompt) {
    return GenerationRequest.of(new Prompt.Tokens(prompt)).maxTokens(3).build();
  }

  /** Somebody who asks while the swap is under way. */
  private static final class Visitor implements SwapListener {
    private final AtomicReference<ScriptedHost> house = new AtomicReference<>();
    private final List<Generation> asked = new ArrayList<>();

    void comesTo(ScriptedHost where) {
      house.set(where);
    }

    @Override
    public void phase(SwapPhase phase) {
      ScriptedHost where = house.get();
      if (phase == SwapPhase.PARKING && where != null) {
        asked.add(where.ask(nobodys(tokens(12, 4))));
        house.set(null);
      }
    }

    void awaitAnswer() {
      for (Generation generation : asked) {
        try {
          generation.await(PATIENCE);
        } catch (RequestException told) {
          assertTrue(generation.isDone(), "who came during the swap was lost");
        }
      }
    }
  }
}
