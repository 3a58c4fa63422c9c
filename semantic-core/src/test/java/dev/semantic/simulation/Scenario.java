package dev.semantic.simulation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.cache.AgentId;
import dev.semantic.cache.CacheException;
import dev.semantic.engine.ArrivalPolicy;
import dev.semantic.engine.DrainPolicy;
import dev.semantic.engine.EngineOptions;
import dev.semantic.engine.Generation;
import dev.semantic.engine.GenerationEvent;
import dev.semantic.engine.GenerationRequest;
import dev.semantic.engine.Prompt;
import dev.semantic.engine.RequestException;
import dev.semantic.model.ModelException;
import dev.semantic.model.ModelId;
import dev.semantic.registry.RegistryStatus;
import dev.semantic.registry.RegistryStatus.Activity;
import dev.semantic.registry.Simulated;
import dev.semantic.registry.SwapOptions;
import dev.semantic.scripted.Geometry;
import dev.semantic.scripted.ScriptedHouse;
import dev.semantic.swap.IfBusy;
import dev.semantic.swap.ModelSwapException;
import dev.semantic.swap.ReclaimFallback;
import dev.semantic.swap.ReclaimPolicy;
import dev.semantic.swap.SwapCancelledException;
import dev.semantic.swap.SwapReport;
import dev.semantic.timeline.Strand;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * One run of everything at once, made from a seed: clients, swaps that meet each other, somebody
 * who calls them off, somebody who looks, faults and hangs of every port; then the questions.
 */
final class Scenario {
  private static final List<Geometry> MODELS =
      List.of(Geometry.ALPHA, Geometry.BETA, Geometry.GAMMA, Geometry.TWIN);
  private static final Duration PATIENCE = Duration.ofHours(1);

  /** Longer than anything that is done takes, shorter than anybody waits for what is not. */
  private static final Duration LONG = Duration.ofMinutes(5);

  private final SimulatedTimeline time;
  private final ScriptedHouse house;
  private final PortTrouble trouble;
  private final Map<Generation, GenerationRequest> asked = new LinkedHashMap<>();
  private final List<Asked> order = new ArrayList<>();
  private int calls; // of clients, begun and ended
  private @Nullable String overtaking;
  private final List<Throwable> surprises = new ArrayList<>();
  private final Set<String> calledOff = new HashSet<>();
  private final boolean forgets; // whether caches are deleted behind everybody's back
  private final boolean alike; // whether all that is said begins with the same long prompt
  private final List<Forgotten> forgotten = new ArrayList<>();
  private boolean closedEarly;

  /** One request, between two of what clients did: what ended before another began came first. */
  private record Asked(Generation generation, GenerationRequest request, int from, int to) {
    boolean isBefore(Asked other) {
      return to < other.from && request.agent().isPresent() && isSameAgent(other);
    }

    private boolean isSameAgent(Asked other) {
      return request.agent().equals(other.request.agent());
    }

    boolean isAnswered() {
      if (!generation.isDone()) {
        return false;
      }
      try {
        generation.await();
        return true;
      } catch (RequestException none) {
        return false;
      }
    }
  }

  /** Whether somebody has an answer to a later request before the end of an earlier one. */
  private void lookForOvertaking() {
    List<Asked> open = order.stream().filter(asked -> !asked.generation().isDone()).toList();
    for (Asked earlier : open) {
      for (Asked later : order) {
        if (earlier.isBefore(later) && later.isAnswered()) {
          overtaking = "%s was answered before %s".formatted(later, earlier);
        }
      }
    }
  }

  /** An agent was forgotten between these two calls. */
  private record Forgotten(AgentId agent, int from, int to) {}

  private Scenario(long seed) {
    this.time = new SimulatedTimeline(seed, 10 + Math.floorMod(seed, 50));
    this.alike = Math.floorMod(seed, 5) == 3;
    this.forgets = Math.floorMod(seed, 4) == 2;
    boolean tight = time.random(2) == 0;
    this.trouble = new PortTrouble(time, time.random(3) == 0 ? 0 : 1 + time.random(3));
    this.house =
        new ScriptedHouse(
            tight ? ScriptedHouse.TIGHT : ScriptedHouse.ROOMY,
            builder ->
                Simulated.in(time, builder)
                    .engine(
                        new EngineOptions(
                            4, 100, Duration.ofSeconds(15), 16, time.random(2) == 0)));
    house.runtime.readsInPlace(Math.floorMod(seed, 3) != 0);
    house.script.onVisit(trouble.andThen(call -> lookForOvertaking()));
  }

  /** Runs it, and asks; throws what is wrong. */
  static void run(long seed) {
    Scenario scenario = new Scenario(seed);
    try {
      scenario.play();
      scenario.question();
    } catch (Throwable t) {
      throw new AssertionError(scenario.story(), t);
    }
  }

  private String story() {
    return house.registry.history().stream()
            .map(
                swap ->
                    "%s -> %s: %s, %s serves, %s %s"
                        .formatted(
                            swap.from().map(ModelId::name).orElse("-"),
                            swap.to().map(ModelId::name).orElse("-"),
                            swap.outcome(),
                            swap.serving().map(ModelId::name).orElse("nothing"),
                            swap.phases().keySet(),
                            swap.error().orElse("")))
            .collect(Collectors.joining("\n  ", "\n  ", "\n"))
        + house.registry.status();
  }

  private void play() {
    house.registry.load(Geometry.ALPHA.id());
    if (alike && time.random(2) == 0) {
      house.registry.pin(new AgentId("client-1"));
    }
    trouble.begin();
    List<Strand> actors = new ArrayList<>();
    int clients = 2 + time.random(3);
    for (int i = 0; i < clients; i++) {
      String name = "client-" + i;
      actors.add(actor(name, () -> talk(name)));
    }
    int swappers = 1 + time.random(3);
    for (int i = 0; i < swappers; i++) {
      actors.add(actor("swapper-" + i, this::swapAround));
    }
    actors.add(actor("nosy", this::look));
    if (forgets) {
      actors.add(actor("forgetter", this::deleteAndForget));
    }
    if (time.random(8) == 0) {
      actors.add(
          actor(
              "closer",
              () -> {
                time.pause(Duration.ofMillis(time.random(300)));
                closedEarly = true;
                house.registry.close();
              }));
    }
    for (Strand actor : actors) {
      join(actor);
    }
    List.copyOf(asked.keySet()).forEach(this::awaitEnd);
    trouble.end();
  }

  private Strand actor(String name, Runnable body) {
    return time.start(
        name,
        () -> {
          try {
            body.run();
          } catch (Throwable t) { // for the questions
            surprises.add(t);
          }
        });
  }

  private static void join(Strand actor) {
    try {
      actor.join();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  private void talk(String agent) {
    int[] said = opening();
    int turns = 1 + time.random(4);
    for (int turn = 0; turn < turns; turn++) {
      GenerationRequest request = request(agent, said);
      Generation generation;
      try {
        int from = ++calls;
        generation = house.ask(request);
        order.add(new Asked(generation, request, from, ++calls));
      } catch (RequestException refused) {
        time.pause(Duration.ofMillis(1 + time.random(50)));
        continue;
      }
      asked.put(generation, request);
      if (time.random(8) == 0) {
        time.pause(Duration.ofMillis(time.random(20)));
        generation.cancel();
      }
      if (time.random(6) == 0) {
        continue; // asks again at once
      }
      awaitEnd(generation);
      said = continued(said, generation);
    }
  }

  private int[] opening() {
    int[] own = ScriptedHouse.tokens(3 + time.random(40), time.random(9));
    if (!alike) {
      return own;
    }
    int[] system = ScriptedHouse.tokens(300, 1);
    int[] all = Arrays.copyOf(system, system.length + own.length);
    System.arraycopy(own, 0, all, system.length, own.length);
    return all;
  }

  private GenerationRequest request(String agent, int[] prompt) {
    GenerationRequest.Builder builder =
        GenerationRequest.of(time.random(4) == 0 ? text() : new Prompt.Tokens(prompt))
            .maxTokens(1 + time.random(12))
            .prefillChunk(1 + time.random(32))
            .ignoreEos(time.random(2) == 0)
            .priority(time.random(3));
    if (time.random(4) != 0) {
      // sometimes another client's, whose conversation is another one
      builder.agent(new AgentId(time.random(6) == 0 ? "client-0" : agent));
    }
    if (time.random(3) == 0) {
      builder.model(MODELS.get(time.random(MODELS.size())).id());
    }
    if (time.random(6) == 0) {
      builder.deadline(Duration.ofMillis(1 + time.random(500)));
    }
    if (alike && time.random(6) == 0) {
      builder.timeLimit(Duration.ofMillis(time.random(500)));
    }
    return builder.build();
  }

  /** Each model makes other tokens of it, or refuses it: not every one fits. */
  private Prompt text() {
    return new Prompt.Text("what I say ".repeat(time.random(20) == 0 ? 400 : 1 + time.random(9)));
  }

  private void awaitEnd(Generation generation) {
    long end = time.nanoTime() + PATIENCE.toNanos();
    while (!generation.isDone()) {
      assertTrue(time.nanoTime() < end, "a request came to no end");
      time.pause(Duration.ofMillis(1 + time.random(10)));
    }
  }

  private static int[] continued(int[] said, Generation generation) {
    try {
      return ScriptedHouse.said(said, generation.await());
    } catch (RequestException told) {
      return said;
    }
  }

  private void swapAround() {
    int swaps = 1 + time.random(3);
    for (int i = 0; i < swaps; i++) {
      time.pause(Duration.ofMillis(time.random(60)));
      ModelId target =
          time.random(12) == 0
              ? new ModelId("nowhere")
              : MODELS.get(time.random(MODELS.size())).id();
      try {
        switch (time.random(10)) {
          case 0 -> house.registry.unload(options());
          case 1 -> house.registry.load(target);
          default -> house.registry.swapWithRollback(target, options());
        }
      } catch (ModelSwapException failed) {
        assertTrue(failed.getCause() != null, "no cause");
      } catch (IllegalStateException | SwapCancelledException | ModelException refused) {
        assertTrue(refused.getMessage() != null, "no reason");
      }
    }
  }

  private SwapOptions options() {
    return SwapOptions.builder()
        .drainPolicy(any(DrainPolicy.values()))
        .drainTimeout(time.random(4) == 0 ? PATIENCE : Duration.ofMillis(time.random(400)))
        .returnWithin(Duration.ofMillis(time.random(3) == 0 ? 0 : time.random(500)))
        .arrivals(any(ArrivalPolicy.values()))
        .ifBusy(any(IfBusy.values()))
        .phaseTimeout(Duration.ofMillis(200 + time.random(400)))
        .rollbackAttempts(1 + time.random(3), Duration.ofMillis(time.random(50)))
        .reclaim(new ReclaimPolicy(0.001, any(ReclaimFallback.values())))
        .build();
  }

  private <T> T any(T[] values) {
    return values[time.random(values.length)];
  }

  private void look() {
    for (int i = 0; i < 6; i++) {
      time.pause(Duration.ofMillis(time.random(60)));
      switch (time.random(5)) {
        case 0, 1 -> callOff();
        case 2 -> house.registry.status();
        case 3 -> house.registry.current();
        default -> plan();
      }
    }
  }

  /** Deletes what is parked behind the registry's back, and has agents forgotten. */
  private void deleteAndForget() {
    for (int i = 0; i < 4; i++) {
      time.pause(Duration.ofMillis(time.random(60)));
      AgentId agent = new AgentId("client-" + time.random(3));
      switch (time.random(4)) {
        case 0 -> house.parked.remove(agent, MODELS.get(time.random(MODELS.size())).tag());
        case 1 -> house.parked.invalidateAll();
        default -> forget(agent);
      }
    }
  }

  private void forget(AgentId agent) {
    int from = ++calls;
    try {
      house.registry.forget(agent);
      forgotten.add(new Forgotten(agent, from, ++calls));
    } catch (CacheException hangs) { // what is being written of it
      assertTrue(trouble.any(), hangs::toString);
    }
  }

  /** Who asks first after that begins from nothing; of who does not ask, nothing is parked. */
  private void checkForgotten(Forgotten one) {
    Optional<Asked> first =
        order.stream()
            .filter(asked -> asked.request().agent().filter(one.agent()::equals).isPresent())
            .filter(asked -> asked.to() > one.from())
            .min(Comparator.comparingInt(Asked::from));
    if (first.isEmpty()) {
      MODELS.forEach(
          model -> assertTrue(house.parked.parked(one.agent(), model.tag()).isEmpty(), "parked"));
    } else if (!alike
        && first.get().from() > one.to()
        && first.get().request().prompt() instanceof Prompt.Tokens
        && first.get().isAnswered()) {
      assertEquals(0, first.get().generation().await().cachedTokens(), one + " is remembered");
    }
  }

  /** Remembers which swap was told of: it was under way before and after. */
  private void callOff() {
    Optional<String> before = house.registry.status().swap();
    boolean inTime = house.registry.cancelSwap();
    if (inTime && before.isPresent() && before.equals(house.registry.status().swap())) {
      calledOff.add(before.get());
    }
  }

  private void plan() {
    try {
      house.registry.plan(Geometry.BETA.id());
    } catch (RuntimeException | Error refused) {
      assertTrue(refused.getMessage() != null, "no reason");
    }
  }

  private void question() {
    time.pause(Duration.ofMinutes(20)); // whatever hung has come back by now
    if (!surprises.isEmpty()) {
      throw new AssertionError("somebody met what nobody announced", surprises.getFirst());
    }
    assertNull(overtaking);
    if (time.uncaught() != null) {
      throw new AssertionError("a thread of the core died", time.uncaught());
    }
    asked.keySet().forEach(Scenario::checkEvents);
    house.registry.history().forEach(this::checkSwap);
    forgotten.forEach(this::checkForgotten);
    if (!closedEarly) {
      somebodyServesOrALoadHelps();
    }
    // the scripted models count what is shared once for each who holds it
    house.closeAfterTrouble(trouble.hung() || alike);
    time.pause(Duration.ofMinutes(20));
    assertEquals(List.of(), time.living(), "threads that did not end");
  }

  private void checkSwap(SwapReport swap) {
    boolean calledOffInTime = calledOff.contains(swap.id());
    assertTrue(
        !calledOffInTime || swap.error().isPresent(), "called off in time, and went through");
    assertTrue(
        trouble.any() || swap.total().compareTo(LONG) < 0,
        "nothing went wrong, and somebody slept until his patience was at its end");
  }

  private void somebodyServesOrALoadHelps() {
    RegistryStatus status = house.registry.status();
    assertTrue(status.activity() != Activity.IN_PROGRESS, "a swap that does not end");
    assertEquals(0, status.running() + status.waiting(), "requests that nobody asked");
    if (house.registry.current().isEmpty()) {
      house.registry.load(Geometry.ALPHA.id());
    }
    house.registry.unpin(new AgentId("client-1")); // whose cache may fill the pool
    GenerationRequest last = ScriptedHouse.request("somebody", 4, ScriptedHouse.tokens(9, 9));
    Generation answer = house.ask(last);
    awaitEnd(answer);
    assertEquals(
        house.registry.current().orElseThrow().tag(), answer.await().model(), "who serves?");
  }

  /** One end, and the tokens that were heard are those of the answer. */
  private static void checkEvents(Generation generation) {
    assertTrue(generation.isDone(), "a request was lost");
    List<Integer> heard = new ArrayList<>();
    @Nullable GenerationEvent end = null;
    for (Iterator<GenerationEvent> events = generation.events(); events.hasNext(); ) {
      end = events.next();
      if (end instanceof GenerationEvent.Token token) {
        heard.add(token.id());
      }
    }
    if (end instanceof GenerationEvent.Finished(var result)) {
      assertEquals(result.tokens(), heard, "what was heard is not what was answered");
      assertTrue(result.cachedTokens() < result.promptTokens(), "more cached than asked");
    }
  }
}
