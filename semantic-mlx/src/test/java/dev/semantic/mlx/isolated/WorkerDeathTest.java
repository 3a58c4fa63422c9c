package dev.semantic.mlx.isolated;

import static dev.semantic.scripted.ScriptedHost.assertSays;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.kv.KvSnapshot;
import dev.semantic.model.ModelException;
import dev.semantic.scripted.Elsewhere;
import dev.semantic.scripted.Geometry;
import dev.semantic.scripted.PortCall;
import dev.semantic.spi.LoadProgress;
import dev.semantic.spi.LoadedModel;
import dev.semantic.spi.LoadedModel.Chunk;
import dev.semantic.spi.PreparedModel;
import dev.semantic.spi.Sequence;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A child may die at any moment, of anything; this JVM is told what it was, and goes on. */
class WorkerDeathTest {
  private static final int[] PROMPT = {20, 21, 22, 23};

  @TempDir Path directory;

  static Stream<Arguments> everyCallAndTrouble() {
    return Stream.of(PortCall.PREPARE, PortCall.LOAD, PortCall.FORWARD)
        .flatMap(call -> Stream.of(Trouble.values()).map(trouble -> Arguments.of(call, trouble)));
  }

  @ParameterizedTest(name = "{1} in {0}")
  @MethodSource("everyCallAndTrouble")
  void isToldOfAndTheNextCallIsServedByAnother(PortCall call, Trouble trouble) throws Exception {
    Troubles troubles = new Troubles(directory);
    troubles.at(call, trouble);
    Duration patience = trouble == Trouble.STOPPED ? Duration.ofSeconds(2) : Troubles.PATIENCE;
    try (IsolatedRuntime runtime = troubles.runtime().patience(patience).open()) {
      var failure = assertThrows(ModelException.class, () -> answer(runtime));
      assertTrue(troubles.happened(call, trouble), "it never happened");
      assertSays("alpha", failure);
      assertSays(trouble.sign, failure);
      assertSays("About to meet " + trouble, failure);
      assertEquals(0, runtime.memory().activeBytes());
      assertEquals(Geometry.ALPHA.answer(PROMPT, 1).getFirst(), answer(runtime));
    }
  }

  private static int answer(IsolatedRuntime runtime) {
    try (PreparedModel prepared = runtime.prepare(Geometry.ALPHA.id());
        LoadedModel model = prepared.load(LoadProgress.NONE);
        Sequence sequence = model.open()) {
      return next(model, sequence, PROMPT);
    }
  }

  private static int next(LoadedModel model, Sequence sequence, int... tokens) {
    float[] logits = model.forward(List.of(new Chunk(sequence, tokens, true))).getFirst();
    int best = 0;
    for (int i = 1; i < logits.length; i++) {
      best = logits[i] > logits[best] ? i : best;
    }
    return best;
  }

  @ParameterizedTest
  @ValueSource(strings = {"KILL", "SEGV", "ABRT", "BUS"})
  void whileNobodyAsksIsNoticedAndTheModelComesBack(String signal) throws Exception {
    try (IsolatedRuntime runtime = new Troubles(directory).runtime().open();
        PreparedModel prepared = runtime.prepare(Geometry.ALPHA.id());
        LoadedModel model = prepared.load(LoadProgress.NONE)) {
      Sequence sequence = model.open();
      next(model, sequence, PROMPT);
      KvSnapshot snapshot = sequence.snapshot();
      List<Long> pids = Troubles.pids(runtime);
      Troubles.signal(signal, pids.getFirst());
      Troubles.await(() -> runtime.children().isEmpty(), "nobody noticed");
      Troubles.assertGone(pids);

      assertEquals(0, sequence.length(), "nothing of it is left");
      assertEquals(0, runtime.memory().activeBytes());
      Sequence restored = model.restore(snapshot);
      Sequence fresh = model.open();
      int[] more = {30};
      int expected = Geometry.ALPHA.answer(new int[] {20, 21, 22, 23, 30}, 1).getFirst();
      assertEquals(expected, next(model, restored, more));
      assertEquals(expected, next(model, fresh, 20, 21, 22, 23, 30));
      assertEquals(expected, next(model, sequence, 20, 21, 22, 23, 30), "as a fresh one");
      sequence.close();
    }
  }

  @Test
  void aBatchOverTwoLivesIsRefusedNotMixedUp() throws Exception {
    try (IsolatedRuntime runtime = new Troubles(directory).runtime().open();
        PreparedModel prepared = runtime.prepare(Geometry.ALPHA.id());
        LoadedModel model = prepared.load(LoadProgress.NONE)) {
      Sequence before = model.open();
      next(model, before, PROMPT);
      Troubles.signal("KILL", Troubles.pids(runtime).getFirst());
      Troubles.await(() -> runtime.children().isEmpty(), "nobody noticed");
      Sequence after = model.open();
      var failure =
          assertThrows(
              ModelException.class,
              () ->
                  model.forward(
                      List.of(
                          new Chunk(after, new int[] {30}, true),
                          new Chunk(before, new int[] {31}, true))));
      assertSays("gone", failure);
      assertEquals(Geometry.ALPHA.answer(PROMPT, 1).getFirst(), next(model, after, PROMPT));
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = PortCall.class,
      names = {"LOAD", "FORWARD", "PREPARE", "READ_AHEAD", "ENCODE"})
  void freesWhoeverWaitsAtOnce(PortCall call) throws Exception {
    Troubles troubles = new Troubles(directory);
    troubles.holdAt(call);
    try (IsolatedRuntime runtime = troubles.runtime().open()) {
      var waiting =
          Elsewhere.call(
              () -> {
                try (PreparedModel prepared = runtime.prepare(Geometry.ALPHA.id())) {
                  prepared.readAhead(LoadProgress.NONE);
                  prepared.text().encode("x", false);
                  try (LoadedModel model = prepared.load(LoadProgress.NONE)) {
                    return next(model, model.open(), PROMPT);
                  }
                }
              });
      troubles.awaitHeld(call);
      long pid = Troubles.pids(runtime).getFirst();
      troubles.release(call); // for the next process; this one is dead before it looks again
      Troubles.signal("KILL", pid);
      try {
        int said = waiting.get(Troubles.PATIENCE.toSeconds(), TimeUnit.SECONDS);
        assertEquals(Geometry.ALPHA.answer(PROMPT, 1).getFirst(), said);
      } catch (ExecutionException e) {
        assertSays("SIGKILL", e);
      }
    }
  }

  /** As a request that is cancelled interrupts whoever makes its tokens. */
  @Test
  void whoeverIsInterruptedStopsItsRenderingInTheChildAndNobodyElses() throws Exception {
    Troubles troubles = new Troubles(directory);
    try (IsolatedRuntime runtime = troubles.runtime().open();
        PreparedModel prepared = runtime.prepare(Geometry.ALPHA.id());
        LoadedModel model = prepared.load(LoadProgress.NONE)) {
      troubles.holdAt(PortCall.ENCODE);
      AtomicReference<Throwable> thrown = new AtomicReference<>();
      Thread rendering =
          Thread.ofPlatform()
              .start(
                  () -> {
                    try {
                      prepared.text().encode("a hostile one", false);
                    } catch (Throwable t) {
                      thrown.set(t);
                    }
                  });
      troubles.awaitHeld(PortCall.ENCODE);
      assertEquals(Geometry.ALPHA.answer(PROMPT, 1).getFirst(), next(model, model.open(), PROMPT));
      rendering.interrupt();
      rendering.join(Troubles.PATIENCE.toMillis());
      assertInstanceOf(IllegalStateException.class, thrown.get());
      assertTrue(Files.exists(directory.resolve(PortCall.ENCODE + ".interrupted")));
      troubles.release(PortCall.ENCODE);
      assertEquals(3, prepared.text().encode("two", false).length, "by the same process");
      assertEquals(1, runtime.children().size());
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"INT", "TERM", "HUP"})
  void isNotByWhatATerminalSendsToAll(String signal) throws Exception {
    try (IsolatedRuntime runtime = new Troubles(directory).runtime().open();
        PreparedModel prepared = runtime.prepare(Geometry.ALPHA.id());
        LoadedModel model = prepared.load(LoadProgress.NONE);
        Sequence sequence = model.open()) {
      Troubles.signal(signal, Troubles.pids(runtime).getFirst());
      assertEquals(Geometry.ALPHA.answer(PROMPT, 1).getFirst(), next(model, sequence, PROMPT));
      assertEquals(4, sequence.snapshot().tokens().length);
    }
  }
}
