package dev.semantic.engine;

import static dev.semantic.scripted.ScriptedHost.PATIENCE;
import static dev.semantic.scripted.ScriptedHost.assertSays;
import static dev.semantic.scripted.ScriptedHost.tokens;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.generate.EngineOptions;
import dev.semantic.generate.Generation;
import dev.semantic.generate.GenerationRequest;
import dev.semantic.generate.Prompt;
import dev.semantic.generate.RequestException;
import dev.semantic.kv.AgentId;
import dev.semantic.scripted.Geometry;
import dev.semantic.scripted.PortCall;
import dev.semantic.scripted.Script;
import dev.semantic.scripted.ScriptedHost;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

/**
 * Who is begun, and who is stepped. The model stands still while the requests come, so that the
 * order is theirs; it is read from the steps that the model makes.
 */
class BatchingTest {
  private static final UnaryOperator<GenerationRequest.Builder> PLAIN = UnaryOperator.identity();

  /** A house of so many places, and the requests that are put to it. */
  private static final class Table implements AutoCloseable {
    private final ScriptedHost host;
    private final Script.Hold hold;
    private final List<String> ended = new ArrayList<>();
    private final List<Generation> asked = new ArrayList<>();
    private final List<String> names = new ArrayList<>();

    private Table(int places, int queue) throws InterruptedException {
      host =
          new ScriptedHost(
              ScriptedHost.ROOMY,
              builder ->
                  builder.engine(
                      new EngineOptions(places, queue, Duration.ofSeconds(15), 16, false)));
      host.registry.load(Geometry.ALPHA.id());
      hold = host.script.hold(PortCall.FORWARD);
      ask("first", 3, 1, PLAIN);
      hold.awaitReached();
      host.script.onVisit(this::look);
    }

    /** Who has ended is known to the scheduler before it makes its next step. */
    private void look(PortCall call) {
      if (call == PortCall.FORWARD) {
        note();
      }
    }

    private synchronized void note() {
      for (int i = 0; i < asked.size(); i++) {
        if (asked.get(i).isDone() && !ended.contains(names.get(i))) {
          ended.add(names.get(i));
        }
      }
    }

    private synchronized Generation ask(
        String agent, int prompt, int answer, UnaryOperator<GenerationRequest.Builder> more) {
      GenerationRequest.Builder request =
          GenerationRequest.of(new Prompt.Tokens(tokens(prompt, asked.size())))
              .maxTokens(answer)
              .ignoreEos(true);
      if (!agent.isEmpty()) {
        request.agent(new AgentId(agent));
      }
      Generation generation = host.ask(more.apply(request).build());
      asked.add(generation);
      names.add(agent + "-" + names.stream().filter(name -> name.startsWith(agent + "-")).count());
      return generation;
    }

    /** Lets the model go on; who ended, in order. */
    private List<String> order() {
      hold.release();
      List<Generation> all = List.copyOf(asked);
      all.forEach(generation -> generation.await(PATIENCE));
      host.ask("last", tokens(3, 99));
      note();
      return ended.stream().filter(name -> !name.startsWith("first")).toList();
    }

    @Override
    public void close() {
      hold.release();
      host.close();
    }
  }

  @Test
  void whoAsksManyThingsKeepsNobodyWaitingForAllOfThem() throws Exception {
    try (Table table = new Table(1, 100)) {
      for (int i = 0; i < 6; i++) {
        table.ask("greedy", 9, 2, PLAIN);
      }
      table.ask("ada", 9, 2, PLAIN);
      table.ask("bob", 9, 2, PLAIN);
      table.ask("ada", 9, 2, PLAIN);
      assertEquals(
          List.of(
              "greedy-0",
              "ada-0",
              "bob-0",
              "greedy-1",
              "ada-1",
              "greedy-2",
              "greedy-3",
              "greedy-4",
              "greedy-5"),
          table.order());
    }
  }

  @Test
  void whatBelongsToNobodyTakesTurnsAsIfOneHadAskedIt() throws Exception {
    try (Table table = new Table(1, 100)) {
      for (int i = 0; i < 3; i++) {
        table.ask("", 9, 2, PLAIN);
      }
      table.ask("ada", 9, 2, PLAIN);
      assertEquals(List.of("-0", "ada-0", "-1", "-2"), table.order());
    }
  }

  @Test
  void priorityGoesBeforeTurns() throws Exception {
    try (Table table = new Table(1, 100)) {
      table.ask("ada", 9, 2, PLAIN);
      table.ask("bob", 9, 2, request -> request.priority(1));
      table.ask("bob", 9, 2, request -> request.priority(1));
      assertEquals(List.of("bob-0", "bob-1", "ada-0"), table.order());
    }
  }

  @Test
  void aPlaceIsTakenAsSoonAsSomebodyLeavesIt() throws Exception {
    try (Table table = new Table(2, 100)) {
      table.ask("", 2, 30, PLAIN);
      for (int i = 0; i < 5; i++) {
        table.ask("", 2, 4, PLAIN);
      }
      assertEquals(List.of("-1", "-2", "-3", "-4", "-5", "-0"), table.order());
    }
  }

  @Test
  void betweenTwoTokensNoMoreThanAShortChunkOfAPromptIsComputed() throws Exception {
    try (Table table = new Table(4, 100)) {
      table.ask("", 2, 40, PLAIN);
      table.ask("", 1500, 1, request -> request.prefillChunk(1500));
      assertEquals(List.of("-1", "-0"), table.order());
      assertEquals(128, table.host.runtime.largestForward());
    }
  }

  @Test
  void whoIsAloneReadsInChunksAsLongAsItWants() throws Exception {
    try (Table table = new Table(4, 100)) {
      table.ask("reads", 1500, 1, request -> request.prefillChunk(700));
      table.order();
      assertEquals(700, table.host.runtime.largestForward());
    }
  }

  @Test
  void promptsOfOnePriorityTakeTurnsChunkByChunk() throws Exception {
    try (Table table = new Table(4, 100)) {
      table.ask("", 900, 1, request -> request.prefillChunk(100));
      table.ask("", 250, 1, request -> request.prefillChunk(100));
      assertEquals(List.of("-1", "-0"), table.order());
    }
  }

  @Test
  void aFullQueueSaysWhenToAskAgain() throws Exception {
    try (Table table = new Table(1, 3)) {
      for (int i = 0; i < 3; i++) {
        table.ask("agent " + i, 9, 2, PLAIN);
      }
      var full =
          assertThrows(RequestException.class, () -> table.host.ask("one more", tokens(9, 9)));
      assertSays("3 requests are waiting already", full);
      assertTrue(full.retryAfter().orElseThrow().isPositive());
      assertEquals(List.of("agent 0-0", "agent 1-0", "agent 2-0"), table.order());
    }
  }

  @Test
  void whoeverIsCalledOffLeavesTheOthersAsTheyWere() throws Exception {
    try (Table table = new Table(4, 100)) {
      List<Generation> all = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        all.add(table.ask("agent " + i, 20, 30, PLAIN));
      }
      all.get(1).cancel(); // in the batch or not
      all.get(3).cancel();
      table.hold.release();
      for (Generation one : Arrays.asList(all.get(0), all.get(2))) {
        assertEquals(30, one.await(PATIENCE).tokens().size()); // the house checks which
      }
    }
  }
}
