package dev.semantic.registry;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.generate.GenerationResult;
import dev.semantic.journal.FileSwapJournal;
import dev.semantic.journal.InterruptedSwap;
import dev.semantic.journal.SwapEntry;
import dev.semantic.memory.ByteSize;
import dev.semantic.model.ModelId;
import dev.semantic.model.ModelTag;
import dev.semantic.registry.SwappingProgram.Step;
import dev.semantic.scripted.Geometry;
import dev.semantic.scripted.ScriptedHost;
import dev.semantic.store.DiskCacheStore;
import dev.semantic.swap.SwapPhase;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A process that changes its model under load is killed, with SIGKILL: where each phase begins, and
 * at instants that nobody has chosen. The next start in the same directory knows which swap it was
 * and how far it had come, finds every cache that was acknowledged, serves, and goes on token by
 * token.
 *
 * <p>{@code -Dsemantic.kills=N} kills at N random instants; {@code mvn test -Pkills -pl
 * .,semantic-core} at 200.
 */
class KilledSwapTest {
  private static final int KILLS_IN_CI = 6;
  private static final int RANDOM_KILLS = Integer.getInteger("semantic.kills", KILLS_IN_CI);
  private static final int KILLS_IN_A_DIRECTORY = 8;
  private static final int SIGKILL_STATUS = 128 + 9;
  private static final long LONGEST_DELAY_MICROS = 40_000;
  private static final int CACHES_AT_LEAST = 2 * SwappingProgram.AGENTS.size();
  private static final List<Geometry> MODELS =
      List.of(Geometry.ALPHA, Geometry.BETA, Geometry.GAMMA);

  @TempDir Path directory;

  @ParameterizedTest(name = "room for both: {0}")
  @ValueSource(booleans = {true, false})
  void whereEachPhaseBegins(boolean roomy) throws Exception {
    ByteSize budget = roomy ? ScriptedHost.ROOMY : ScriptedHost.TIGHT;
    Transcript transcript = new Transcript();
    Path root = directory.resolve("root");
    for (String place : places(budget)) {
      Process program = start(root, budget, place, transcript);
      boolean there = transcript.await(place);
      kill(program);
      assertTrue(there, () -> place + " was never reached: " + errors());
      startAgain(root, budget, transcript, true);
    }
    assertTrue(transcript.size() >= CACHES_AT_LEAST, "hardly anything was there to be lost");
  }

  /** Of a swap all; of the others those that no swap has. */
  private static List<String> places(ByteSize budget) {
    List<String> places = new ArrayList<>();
    Step.SWAP_TO_BETA.phases(budget).forEach(phase -> places.add(Step.SWAP_TO_BETA + ":" + phase));
    places.add(Step.SWAP_TO_BETA + ":END");
    places.add(Step.FAIL_TO_SWAP + ":" + SwapPhase.ROLLING_BACK);
    places.add(Step.LOAD_ALPHA + ":" + SwapPhase.LOADING);
    places.add(Step.UNLOAD + ":" + SwapPhase.UNLOADING);
    return places;
  }

  @Test
  void atAnyInstant() throws Exception {
    Random random = new Random(4711);
    List<Step> steps = List.of(Step.values());
    Transcript transcript = new Transcript();
    Map<String, Integer> killed = new TreeMap<>();
    for (int kill = 0; kill < RANDOM_KILLS; kill++) {
      if (kill % KILLS_IN_A_DIRECTORY == 0) {
        transcript = new Transcript();
      }
      Path root = directory.resolve("root" + kill / KILLS_IN_A_DIRECTORY);
      ByteSize budget = random.nextBoolean() ? ScriptedHost.ROOMY : ScriptedHost.TIGHT;
      String step = steps.get(random.nextInt(steps.size())).name();
      Process program = start(root, budget, "nowhere", transcript);
      boolean there = transcript.await(step);
      LockSupport.parkNanos(1000 * random.nextLong(LONGEST_DELAY_MICROS));
      kill(program);
      assertTrue(there, () -> step + " was never reached: " + errors());
      startAgain(root, budget, transcript, false);
      killed.merge(transcript.place(), 1, Integer::sum);
    }
    if (RANDOM_KILLS > KILLS_IN_CI) {
      System.out.println("Killed " + killed);
    }
  }

  private Process start(Path root, ByteSize budget, String stop, Transcript transcript)
      throws IOException {
    transcript.begin();
    Process program =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                "-cp",
                System.getProperty("java.class.path"),
                SwappingProgram.class.getName(),
                root.toString(),
                Long.toString(budget.bytes()),
                stop)
            .redirectError(directory.resolve("errors").toFile())
            .start();
    Thread.ofVirtual().start(() -> listen(program, transcript));
    return program;
  }

  private static void listen(Process program, Transcript transcript) {
    try (BufferedReader says = program.inputReader()) {
      for (String line = says.readLine(); line != null; line = says.readLine()) {
        transcript.hear(line);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } finally {
      transcript.close();
    }
  }

  private void kill(Process program) throws InterruptedException {
    program.toHandle().destroyForcibly(); // SIGKILL; the Process would close our end, too
    assertEquals(SIGKILL_STATUS, program.waitFor(), this::errors);
  }

  private String errors() {
    try {
      return Files.readString(directory.resolve("errors"));
    } catch (IOException e) {
      return e.toString();
    }
  }

  /** What a host does after a crash, and what it finds. */
  private static void startAgain(
      Path root, ByteSize budget, Transcript transcript, boolean stoodStill) throws Exception {
    transcript.awaitEnd();
    transcript.assertGood();
    try (DiskCacheStore store = DiskCacheStore.open(root);
        FileSwapJournal journal = FileSwapJournal.open(root.resolve("swap.journal"));
        ScriptedHost host =
            new ScriptedHost(
                budget, builder -> builder.caches(transcript.over(store)).journal(journal))) {
      assertTold(host.registry.interruptedSwap(), budget, transcript, stoodStill);
      assertJournalIsEmpty(root);
      for (Geometry model : MODELS) {
        Map<String, int[]> kept = transcript.assertKept(store, model);
        serve(host, model);
        kept.forEach((agent, tokens) -> assertGoesOn(host, agent, tokens));
        transcript.conversations().forEach(host::ask); // the house checks what it says
      }
    }
    assertNothingPilesUp(root, transcript.size());
  }

  private static void assertTold(
      Optional<InterruptedSwap> told, ByteSize budget, Transcript transcript, boolean stoodStill) {
    Step step = transcript.step().orElseThrow();
    List<Optional<SwapPhase>> possible = transcript.possible(step.phases(budget), stoodStill);
    Optional<SwapPhase> phase = told.map(InterruptedSwap::phase);
    assertTrue(
        possible.contains(phase),
        () -> "killed at %s; told %s, possible %s".formatted(transcript.place(), told, possible));
    told.map(InterruptedSwap::swap).ifPresent(swap -> assertIs(step, swap));
  }

  private static void assertIs(Step step, SwapEntry swap) {
    assertEquals(tag(step.from), swap.from());
    assertEquals(tag(step.to).map(tag -> new ModelId(tag.model())), swap.to());
  }

  private static Optional<ModelTag> tag(@Nullable Geometry model) {
    return Optional.ofNullable(model).map(Geometry::tag);
  }

  private static void serve(ScriptedHost host, Geometry model) throws Exception {
    if (host.registry.current().isEmpty()) {
      host.registry.load(model.id());
    } else {
      host.registry.swapWithRollback(model.id());
    }
  }

  private static void assertGoesOn(ScriptedHost host, String agent, int[] tokens) {
    int[] more = Arrays.copyOf(tokens, tokens.length + 1);
    more[tokens.length] = 25;
    GenerationResult answer = host.ask(agent, more);
    assertEquals(tokens.length, answer.cachedTokens(), () -> agent + " forgot");
  }

  private static void assertNothingPilesUp(Path root, int caches) throws IOException {
    assertJournalIsEmpty(root);
    try (Stream<Path> files = Files.walk(root)) {
      List<String> names =
          files
              .filter(Files::isRegularFile)
              .map(file -> file.getFileName().toString())
              .filter(name -> !List.of(".lock", "swap.journal").contains(name))
              .toList();
      assertTrue(names.stream().allMatch(name -> name.endsWith(".kv")), names::toString);
      assertEquals(caches, names.size(), names::toString);
    }
  }

  private static void assertJournalIsEmpty(Path root) throws IOException {
    Path journal = root.resolve("swap.journal");
    assertTrue(!Files.exists(journal) || Files.size(journal) == 0, "it would tell again");
  }
}
