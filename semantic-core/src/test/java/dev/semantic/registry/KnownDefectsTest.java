package dev.semantic.registry;

import static dev.semantic.scripted.ScriptedHost.PATIENCE;
import static dev.semantic.scripted.ScriptedHost.request;
import static dev.semantic.scripted.ScriptedHost.said;
import static dev.semantic.scripted.ScriptedHost.tokens;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.generate.DrainPolicy;
import dev.semantic.generate.EngineMode;
import dev.semantic.generate.FinishReason;
import dev.semantic.generate.Generation;
import dev.semantic.generate.GenerationEvent;
import dev.semantic.generate.GenerationRequest;
import dev.semantic.generate.Prompt;
import dev.semantic.kv.AgentId;
import dev.semantic.kv.KvSnapshot;
import dev.semantic.memory.ByteSize;
import dev.semantic.model.ModelId;
import dev.semantic.model.ModelTag;
import dev.semantic.scripted.Elsewhere;
import dev.semantic.scripted.Fault;
import dev.semantic.scripted.ForwardedStore;
import dev.semantic.scripted.Geometry;
import dev.semantic.scripted.PortCall;
import dev.semantic.scripted.Script;
import dev.semantic.scripted.ScriptedHost;
import dev.semantic.store.ParkedCache;
import dev.semantic.swap.ModelSwapException;
import dev.semantic.swap.PhaseTimeoutException;
import dev.semantic.swap.SwapReport;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/**
 * What went wrong in public systems that change models or keep caches, done here once more. Each
 * test names what it repeats. These were repeated elsewhere before:
 *
 * <ul>
 *   <li>A rollback reloaded the weights but left the shut-down engine in place, alive and serving
 *       nothing: {@link FaultMatrixTest} asks after every fault.
 *   <li>The "draining" flag was never cleared after a time-out: {@link
 *       FailedSwapTest#aDrainThatRunsOutOfTimeLeavesTheOldModelServing}.
 *   <li>The pool kept its block count when the bytes per block doubled: {@link
 *       SwapTest#thePoolCountsInTheGeometryOfTheModelThatServes}.
 *   <li>The same agent under model B overwrote model A's file; the same geometry with other weights
 *       gave silent garbage: {@link SwapTest#theSameGeometryWithOtherWeightsIsAnotherMemory}.
 *   <li>Loading on the request thread froze health checks: {@link
 *       SwapTest#whoeverComesDuringASwapIsAnsweredByTheModelThatTheyMean} asks for the status,
 *       {@link DrainPolicyTest#whoNamesTheModelThatIsComingWaitsForItWhileTheOldOneServes} for
 *       answers.
 *   <li>A restore said success and reused nothing: {@link
 *       SwapTest#agentsGoOnAfterASwapThereAndBack} counts the tokens that were computed.
 *   <li>End-to-end swap tests never called swap: {@link
 *       FaultMatrixTest#everyCallThatASwapMakesIsReached}.
 *   <li>A memory test reloaded the same model, and so could not see that it was retained: {@link
 *       LoadingContract#anotherModelFreesAllOfTheFormer}.
 *   <li>The old model stayed referenced, by an exception, a report or a stream: {@link
 *       SwapTest#nothingKeepsAnUnloadedModelReachable}.
 *   <li>A rotating cache was trimmed after it had wrapped (mlx-lm #1776, #1914, mlx-vlm #1715):
 *       {@code RequestsTest.aSlidingWindowThatCannotForgetStartsAnew}.
 *   <li>A damaged file was read: {@code DamagedCacheFileTest}.
 * </ul>
 */
class KnownDefectsTest {
  private static final ModelId ALPHA = Geometry.ALPHA.id();
  private static final ModelId BETA = Geometry.BETA.id();
  private static final AgentId ADA = new AgentId("ada");
  private static final int LONG = 60;

  private static GenerationRequest endless(String agent) {
    return GenerationRequest.of(new Prompt.Tokens(tokens(20, 1)))
        .agent(new AgentId(agent))
        .ignoreEos(true)
        .maxTokens(LONG)
        .build();
  }

  /** Asks, and swaps after the first of many tokens. */
  private static Generation askAndSwap(ScriptedHost host, SwapOptions options) throws Exception {
    Script.Hold first = host.script.hold(PortCall.FORWARD);
    Generation running = host.ask(endless("ada"));
    first.awaitReached();
    Script.Hold second = host.script.hold(PortCall.FORWARD);
    first.release();
    second.awaitReached();
    CompletableFuture<SwapReport> swap =
        Elsewhere.call(() -> host.registry.swapWithRollback(BETA, options));
    await().atMost(PATIENCE).until(() -> host.registry.status().engine() == EngineMode.DRAINING);
    second.release();
    swap.get(20, TimeUnit.SECONDS);
    return running;
  }

  /**
   * The drain stepped the engine beside its scheduler thread and threw the results away: clients
   * hung. Here each token that a drain waits for comes out once, and so does the end.
   */
  @Test
  void whoeverIsUnderWayHearsEveryTokenOfADrain() throws Exception {
    try (ScriptedHost host = ScriptedHost.serving(Geometry.ALPHA)) {
      Generation running = askAndSwap(host, SwapOptions.DEFAULTS);
      List<Integer> heard = new ArrayList<>();
      running
          .events()
          .forEachRemaining(
              event -> {
                if (event instanceof GenerationEvent.Token(int token, String text, var logProbs)) {
                  heard.add(token);
                } else {
                  assertInstanceOf(GenerationEvent.Finished.class, event);
                }
              });
      List<Integer> right = Geometry.ALPHA.answer(tokens(20, 1), LONG, true);
      assertEquals(right, heard);
      assertEquals(right, running.await(PATIENCE).tokens());
    }
  }

  /**
   * A helper for long prompts held on to the old model, so that nothing was freed and long prompts
   * were computed by the old weights.
   */
  @Test
  void aLongPromptAfterASwapIsComputedByTheNewWeights() throws Exception {
    int[] prompt = tokens(500, 2);
    GenerationRequest inParts =
        GenerationRequest.of(new Prompt.Tokens(prompt)).prefillChunk(64).maxTokens(5).build();
    try (ScriptedHost host = ScriptedHost.serving(Geometry.ALPHA, ScriptedHost.TIGHT)) {
      assertEquals(Geometry.ALPHA.tag(), host.ask(inParts).await(PATIENCE).model());
      host.registry.swapWithRollback(BETA);
      assertEquals(1, host.runtime.openModels());
      assertEquals(Geometry.BETA.answer(prompt, 5), host.ask(inParts).await(PATIENCE).tokens());
    }
  }

  /** The frame of a suspended request kept 20 GB alive (oMLX). */
  @Test
  void aRequestThatWaitsForItsModelDoesNotKeepItReachable() throws Exception {
    SwapOptions preempt =
        SwapOptions.builder()
            .drainPolicy(DrainPolicy.PREEMPT)
            .returnWithin(Duration.ofMinutes(1))
            .build();
    try (ScriptedHost host = ScriptedHost.serving(Geometry.ALPHA, ScriptedHost.TIGHT)) {
      Generation waiting = askAndSwap(host, preempt);
      assertFalse(waiting.isDone());
      for (int i = 0; i < 100 && host.runtime.reachableModels() > 1; i++) {
        System.gc();
        Thread.sleep(10);
      }
      assertEquals(1, host.runtime.reachableModels());
      host.registry.swapWithRollback(ALPHA);
      assertEquals(FinishReason.MAX_TOKENS, waiting.await(PATIENCE).reason());
    }
  }

  /**
   * A late save was stamped with the store's current tag. Here a park that hangs comes to its end
   * when another model of the same geometry serves already.
   */
  @Test
  void aParkThatComesTooLateIsStampedByTheModelThatMadeIt() throws Exception {
    SlowStore store = new SlowStore();
    SwapOptions impatient = SwapOptions.builder().phaseTimeout(Duration.ofMillis(50)).build();
    try (ScriptedHost host =
        new ScriptedHost(ScriptedHost.ROOMY, builder -> builder.caches(store))) {
      host.registry.load(ALPHA);
      int[] ada = said(tokens(30, 1), host.ask("ada", tokens(30, 1)));
      var late =
          assertThrows(
              ModelSwapException.class,
              () -> host.registry.swapWithRollback(Geometry.TWIN.id(), impatient));
      assertInstanceOf(PhaseTimeoutException.class, late.getCause());
      host.registry.swapWithRollback(Geometry.TWIN.id());
      store.go.countDown();
      assertTrue(store.done.await(20, TimeUnit.SECONDS));
      assertEquals(Optional.empty(), store.load(ADA, Geometry.TWIN.tag()));
      assertEquals(0, host.ask("ada", ada).cachedTokens(), "another model's memory");
      host.registry.swapWithRollback(ALPHA);
      assertEquals(ada.length - 1, host.ask("ada", ada).cachedTokens());
    }
  }

  /** The first park waits to be let go. */
  private static final class SlowStore extends ForwardedStore {
    private final CountDownLatch go = new CountDownLatch(1);
    private final CountDownLatch done = new CountDownLatch(1);
    private boolean slow = true;

    @Override
    public ParkedCache park(AgentId agent, KvSnapshot snapshot) {
      boolean waits = isFirst();
      boolean interrupted = false;
      while (waits && go.getCount() > 0) {
        try {
          go.await();
        } catch (InterruptedException e) {
          interrupted = true; // and waits, as a native call would
        }
      }
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
      ParkedCache parked = inner.park(agent, snapshot);
      if (waits) {
        done.countDown();
      }
      return parked;
    }

    private synchronized boolean isFirst() {
      boolean first = slow;
      slow = false;
      return first;
    }
  }

  /**
   * An evicted entry whose tensors were released already overwrote a good file with an empty one.
   * Here an agent is in memory with nothing: its return failed, and its request was cancelled
   * before anything was computed.
   */
  @Test
  void whoHasNothingInMemoryKeepsWhatIsParked() throws Exception {
    try (ScriptedHost host = ScriptedHost.serving(Geometry.ALPHA)) {
      int[] ada = said(tokens(30, 1), host.ask("ada", tokens(30, 1)));
      host.registry.swapWithRollback(BETA);
      host.script.failForGood(PortCall.OCCUPY, 1, Fault.DECLARED);
      assertEquals(0, host.registry.swapWithRollback(ALPHA).agentsRestored());
      Script.Hold hold = host.script.hold(PortCall.OPEN);
      Generation cancelled = host.ask(request("ada", 5, ada));
      hold.awaitReached();
      cancelled.cancel();
      hold.release();
      assertEquals(List.of(), cancelled.await(PATIENCE).tokens());
      host.script.heal();
      assertEquals(1, host.registry.status().hotAgents(), "she is not there with nothing");
      assertEquals(0, host.registry.swapWithRollback(BETA).agentsParked());
      host.registry.swapWithRollback(ALPHA);
      assertEquals(ada.length - 1, host.ask("ada", ada).cachedTokens());
    }
  }

  /** A restore that was refused poisoned later answers until a restart (llama.cpp #27068). */
  @Test
  void aRestoreThatIsRefusedSpoilsNoLaterAnswer() throws Exception {
    for (ByteSize budget : List.of(ScriptedHost.ROOMY, ScriptedHost.TIGHT)) {
      MixedUpStore mixedUp = new MixedUpStore();
      try (ScriptedHost host = new ScriptedHost(budget, builder -> builder.caches(mixedUp))) {
        host.registry.load(Geometry.TWIN.id());
        int[] ada = said(tokens(30, 1), host.ask("ada", tokens(30, 1)));
        assertEquals(0, host.registry.swapWithRollback(ALPHA).agentsRestored());
        assertEquals(0, host.ask("ada", ada).cachedTokens());
        assertEquals(1, mixedUp.lies);
        int[] more = said(ada, host.ask("ada", ada)); // the house checks what it says
        assertEquals(more.length - 1, host.ask("ada", more).cachedTokens());
        assertEquals(Geometry.ALPHA.tag(), host.ask("bob", tokens(30, 2)).model());
      }
    }
  }

  /** Gives out caches of the twin for those of alpha, whose geometry is the same. */
  private static final class MixedUpStore extends ForwardedStore {
    private int lies;

    @Override
    public Optional<KvSnapshot> load(AgentId agent, ModelTag tag) {
      Optional<KvSnapshot> right = inner.load(agent, tag);
      if (right.isPresent() || !tag.equals(Geometry.ALPHA.tag())) {
        return right;
      }
      Optional<KvSnapshot> wrong = inner.load(agent, Geometry.TWIN.tag());
      lies += wrong.isPresent() ? 1 : 0;
      return wrong;
    }
  }

  /**
   * A step that hung while it closed an agent's sequence was given up, and when it went on it
   * closed the other agents of the model that served again.
   */
  @Test
  void whoWasGivenUpClosesNobodyAnyMore() throws Exception {
    SwapOptions impatient = SwapOptions.builder().phaseTimeout(Duration.ofMillis(100)).build();
    try (ScriptedHost host = ScriptedHost.serving(Geometry.ALPHA)) {
      host.ask("ada", tokens(20, 1));
      host.ask("bob", tokens(20, 2));
      AtomicReference<@Nullable Thread> late = new AtomicReference<>();
      host.script.onVisit(
          call -> {
            if (call == PortCall.SEQUENCE_CLOSE) {
              late.compareAndSet(null, Thread.currentThread());
            }
          });
      Script.Hold hold = host.script.hold(PortCall.SEQUENCE_CLOSE);
      assertThrows(ModelSwapException.class, () -> host.registry.swapWithRollback(BETA, impatient));
      assertEquals(1, host.registry.status().hotAgents(), "one is being closed");
      hold.release();
      Objects.requireNonNull(late.get()).join();
      assertEquals(1, host.registry.status().hotAgents());
      assertEquals(Geometry.ALPHA.tag(), host.ask("ada", tokens(20, 1)).model());
    }
  }
}
