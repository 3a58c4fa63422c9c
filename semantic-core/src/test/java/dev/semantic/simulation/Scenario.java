package dev.semantic.simulation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.generate.ArrivalPolicy;
import dev.semantic.generate.DrainPolicy;
import dev.semantic.generate.EngineMode;
import dev.semantic.generate.EngineOptions;
import dev.semantic.generate.Generation;
import dev.semantic.generate.GenerationRequest;
import dev.semantic.generate.Prompt;
import dev.semantic.generate.RequestException;
import dev.semantic.kv.AgentId;
import dev.semantic.log.Log;
import dev.semantic.model.ModelException;
import dev.semantic.model.ModelId;
import dev.semantic.registry.KeepAlivePolicy;
import dev.semantic.registry.RegistryBuilder;
import dev.semantic.registry.RegistryStatus;
import dev.semantic.registry.RegistryStatus.Activity;
import dev.semantic.registry.Simulated;
import dev.semantic.registry.SwapOptions;
import dev.semantic.scripted.Geometry;
import dev.semantic.scripted.PortCall;
import dev.semantic.scripted.ScriptedHost;
import dev.semantic.simulation.RequestHistory.Asked;
import dev.semantic.simulation.RequestHistory.Run;
import dev.semantic.swap.ModelSwapException;
import dev.semantic.swap.ReclaimFallback;
import dev.semantic.swap.ReclaimPolicy;
import dev.semantic.swap.SwapCancelledException;
import dev.semantic.swap.SwapConflict;
import dev.semantic.swap.SwapReport;
import dev.semantic.timeline.ThreadHandle;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * One run of everything at once, made from a seed: clients, swaps that meet each other, somebody
 * who calls them off, somebody who looks, faults and hangs of every port; then the questions. Every
 * second seed has strangers, too: listeners, guards and loggers that throw or hang, any {@link
 * Error} anywhere, calls that never come back, models that leave when nobody asks.
 */
final class Scenario {
  private static final int HISTORY = 100; // swaps that a registry remembers
  private static final List<Geometry> MODELS =
      List.of(Geometry.ALPHA, Geometry.BETA, Geometry.GAMMA, Geometry.TWIN);
  private static final Duration PATIENCE = Duration.ofHours(1);

  /** Longer than anything that is done takes, shorter than anybody waits for what is not. */
  private static final Duration LONG = Duration.ofMinutes(5);

  /** A limit is kept by the watchdog, a second later at most, and noticed a moment after that. */
  private static final Duration IN_TIME = Duration.ofMillis(1_500);

  /** The swap under way included; each of its steps and each part of closing may hang. */
  private static final Duration LONGEST_CLOSE = Duration.ofMinutes(2);

  /** Where a fault may cost an agent his cache. */
  private static final Set<PortCall> MAY_LOSE =
      EnumSet.of(
          PortCall.OPEN,
          PortCall.RESTORE,
          PortCall.PLACES,
          PortCall.OCCUPY,
          PortCall.FORWARD,
          PortCall.MODEL_CLOSE,
          PortCall.TRIM,
          PortCall.SNAPSHOT,
          PortCall.SEQUENCE_CLOSE,
          PortCall.STORE_LOAD,
          PortCall.STORE_PARK,
          PortCall.STORE_PARKED);

  private final SimulatedTimeline time;
  private final ScriptedHost host;
  private final PortTrouble trouble;
  private final RequestHistory asked = new RequestHistory();
  private final Map<Generation, Long> cancelled = new HashMap<>(); // since when
  private final List<Throwable> surprises = new ArrayList<>();
  private final Set<String> calledOff = new HashSet<>();
  private final boolean strangers; // whether more than ports does what it should not
  private final boolean idles; // whether a model leaves that nobody asks
  private final boolean forgets; // whether caches are deleted behind everybody's back
  private final boolean alike; // whether all that is said begins with the same long prompt
  private final List<Forgotten> forgotten = new ArrayList<>();
  private final FaithfulListener witness = new FaithfulListener();
  private final int unrulyLogs; // of a hundred
  private boolean unloaded; // somebody wanted no model
  private boolean closedEarly;

  /** An agent was forgotten between these two calls. */
  private record Forgotten(AgentId agent, int from, int to) {}

  private Scenario(long seed) {
    this.time = new SimulatedTimeline(seed, 10 + Math.floorMod(seed, 50));
    this.alike = Math.floorMod(seed, 5) == 3;
    this.forgets = Math.floorMod(seed, 4) == 2;
    this.strangers = Math.floorMod(seed, 2) == 0;
    boolean tight = time.random(2) == 0;
    int percent = time.random(3) == 0 ? 0 : 1 + time.random(3);
    this.idles = strangers && time.random(2) == 0;
    this.trouble =
        strangers
            ? PortTrouble.any(time, percent, Math.floorMod(seed, idles ? 12 : 3) == 0)
            : PortTrouble.plain(time, percent);
    this.unrulyLogs = strangers && time.random(4) == 0 ? 1 + time.random(100) : 0;
    this.host = new ScriptedHost(tight ? ScriptedHost.TIGHT : ScriptedHost.ROOMY, this::furnished);
    host.runtime.readsInPlace(Math.floorMod(seed, 3) != 0);
    host.script.onVisit(trouble.andThen(call -> asked.lookForOvertaking()));
  }

  private RegistryBuilder furnished(RegistryBuilder builder) {
    Simulated.in(time, builder)
        .engine(new EngineOptions(4, 100, Duration.ofSeconds(15), 16, time.random(2) == 0));
    if (idles) {
      builder.keepAlive(KeepAlivePolicy.idleFor(Duration.ofMillis(50 + time.random(450))));
    }
    if (strangers) {
      if (time.random(2) == 0) {
        builder.listener(new UnrulyListener(time, trouble, () -> host.registry));
      }
      builder.listener(witness);
    }
    return builder;
  }

  /** Runs it, and asks; throws what is wrong. */
  static void run(long seed) {
    Scenario scenario = new Scenario(seed);
    try (UnrulyLogs _ = UnrulyLogs.install(scenario.time, scenario.trouble, scenario.unrulyLogs)) {
      scenario.play();
      scenario.question();
    } catch (Throwable t) {
      throw new AssertionError(scenario.story(), t);
    }
  }

  private String story() {
    return host.registry.history().stream()
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
        + host.registry.status()
        + "\n"
        + trouble;
  }

  private void play() {
    host.registry.load(Geometry.ALPHA.id());
    if (alike && time.random(2) == 0) {
      host.registry.pin(new AgentId("client-1"));
    }
    trouble.begin();
    List<ThreadHandle> actors = new ArrayList<>();
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
                close();
              }));
    }
    for (ThreadHandle actor : actors) {
      join(actor);
    }
    List.copyOf(asked.all()).forEach(one -> awaitEnd(one.generation(), one.request()));
    trouble.end();
  }

  private void close() {
    long before = time.nanoTime();
    host.registry.close();
    trouble.closed();
    Duration took = Duration.ofNanos(time.nanoTime() - before);
    assertTrue(took.compareTo(LONGEST_CLOSE) < 0, () -> "closing took " + took);
  }

  private ThreadHandle actor(String name, Runnable body) {
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

  private static void join(ThreadHandle actor) {
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
        int from = asked.tick();
        generation = host.ask(request);
        asked.add(generation, request, from, time.nanoTime());
      } catch (RequestException refused) {
        time.pause(Duration.ofMillis(1 + time.random(50)));
        continue;
      }
      if (time.random(8) == 0) {
        time.pause(Duration.ofMillis(time.random(20)));
        cancel(generation);
      }
      if (time.random(6) == 0) {
        continue; // asks again at once
      }
      awaitEnd(generation, request);
      said = continued(said, generation);
    }
  }

  private int[] opening() {
    int[] own = ScriptedHost.tokens(3 + time.random(40), time.random(9));
    if (!alike) {
      return own;
    }
    int[] system = ScriptedHost.tokens(300, 1);
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

  private void cancel(Generation generation) {
    cancelled.put(generation, time.nanoTime());
    generation.cancel();
  }

  /** In time, if it has a limit or was cancelled, whatever hangs. */
  private void awaitEnd(Generation generation, GenerationRequest request) {
    long began = time.nanoTime();
    long end = began + PATIENCE.toNanos();
    while (!generation.isDone()) {
      long now = time.nanoTime();
      assertTrue(now < end, "a request came to no end");
      long due = Math.max(due(generation, request), began + IN_TIME.toNanos());
      assertTrue(now < due, "a request did not end when its time was over");
      if (strangers && now - began > LONG.toNanos()) {
        assertTrue(trouble.hung(), "nobody answers, and nothing hangs");
        cancel(generation);
      }
      long next = Duration.ofMillis(1 + time.random(10)).toNanos();
      if (strangers) { // what hangs need not be asked each time
        next = Math.min(Math.max(next, (now - began) / 8), due - now);
      }
      time.pause(Duration.ofNanos(next));
    }
  }

  /** When it must have ended. */
  private long due(Generation generation, GenerationRequest request) {
    @Nullable Long since = cancelled.get(generation);
    long due = since == null ? Long.MAX_VALUE : since + IN_TIME.toNanos();
    return request
        .timeLimit()
        .map(limit -> Math.min(due, asked.when(generation) + limit.plus(IN_TIME).toNanos()))
        .orElse(due);
  }

  private static int[] continued(int[] said, Generation generation) {
    try {
      return ScriptedHost.said(said, generation.await());
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
          case 0 -> {
            unloaded = true;
            host.registry.unload(options());
          }
          case 1 -> host.registry.load(target);
          default -> host.registry.swapWithRollback(target, options());
        }
      } catch (ModelSwapException failed) {
        assertTrue(failed.getCause() != null, "no cause");
      } catch (IllegalStateException | SwapCancelledException | ModelException refused) {
        assertTrue(refused.getMessage() != null, "no reason");
      }
    }
  }

  private SwapOptions options() {
    SwapOptions.Builder options = SwapOptions.builder();
    if (strangers && time.random(4) == 0) {
      options.guard(phase -> trouble.strike("guard"));
    }
    return options
        .drainPolicy(any(DrainPolicy.values()))
        .drainTimeout(time.random(4) == 0 ? PATIENCE : Duration.ofMillis(time.random(400)))
        .returnWithin(Duration.ofMillis(time.random(3) == 0 ? 0 : time.random(500)))
        .arrivals(any(ArrivalPolicy.values()))
        .ifBusy(any(SwapConflict.values()))
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
        case 2 -> host.registry.status();
        case 3 -> host.registry.current();
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
        case 0 -> host.parked.remove(agent, MODELS.get(time.random(MODELS.size())).tag());
        case 1 -> host.parked.invalidateAll();
        default -> forget(agent);
      }
    }
  }

  private void forget(AgentId agent) {
    int from = asked.tick();
    try {
      host.registry.forget(agent);
      forgotten.add(new Forgotten(agent, from, asked.tick()));
    } catch (Throwable left) { // by a store that hangs, or whatever it throws
      assertTrue(trouble.any(), () -> Log.reason(left));
    }
  }

  /** Who asks first after that begins from nothing; of who does not ask, nothing is parked. */
  private void checkForgotten(Forgotten one) {
    Optional<Asked> first = asked.firstOf(one.agent(), one.from());
    if (first.isEmpty()) {
      MODELS.forEach(
          model -> assertTrue(host.parked.parked(one.agent(), model.tag()).isEmpty(), "parked"));
    } else if (!alike
        && first.get().from() > one.to()
        && first.get().request().prompt() instanceof Prompt.Tokens
        && first.get().isAnswered()) {
      assertEquals(0, first.get().generation().await().cachedTokens(), one + " is remembered");
    }
  }

  /** Remembers which swap was told of: it was under way before and after. */
  private void callOff() {
    Optional<String> before = host.registry.status().swap();
    boolean inTime = host.registry.cancelSwap();
    if (inTime && before.isPresent() && before.equals(host.registry.status().swap())) {
      calledOff.add(before.get());
    }
  }

  private void plan() {
    try {
      host.registry.plan(Geometry.BETA.id());
    } catch (Throwable refused) { // by strangers' code, which he calls himself
      assertTrue(trouble.any() || refused.getMessage() != null, "no reason");
    }
  }

  private void question() {
    time.pause(whatComesBack());
    if (!surprises.isEmpty()) {
      throw new AssertionError("somebody met what nobody announced", surprises.getFirst());
    }
    if (time.uncaught() != null) {
      throw new AssertionError("a thread of the core died", time.uncaught());
    }
    asked.check(new Run(trouble.any(), closedEarly, unloaded));
    host.registry.history().forEach(this::checkSwap);
    forgotten.forEach(this::checkForgotten);
    if (!closedEarly) {
      somebodyServesOrALoadHelps();
    }
    end();
    if (strangers) {
      List<SwapReport> told = witness.reports();
      int forgotten = Math.max(0, told.size() - HISTORY);
      assertEquals(
          host.registry.history(), told.subList(forgotten, told.size()), "not everybody was told");
    }
  }

  /** Whatever hung has come back by then, unless it never does. */
  private Duration whatComesBack() {
    if (strangers && !trouble.hung()) {
      return Duration.ofMinutes(1);
    }
    return trouble.hungLong() ? Duration.ofMinutes(150) : Duration.ofMinutes(20);
  }

  private void end() {
    close();
    if (trouble.never()) { // and keeps what it holds
      time.pause(Duration.ofDays(30));
      assertFalse(trouble.outwaited(), "somebody waited for what never comes back");
      host.closeAbandoned();
    } else if (closedEarly && trouble.hungLong()) { // as it was when what it uses hung
      host.closeAbandoned();
    } else {
      // the scripted models count what is shared once for each who holds it
      host.closeAfterTrouble(trouble.hung() || alike);
    }
    time.pause(trouble.loggerHung() ? Duration.ofHours(3) : Duration.ofMinutes(20));
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
    RegistryStatus status = host.registry.status();
    if (trouble.never()) {
      return; // it says what it does; what it can do is up to what hangs
    }
    assertTrue(status.activity() != Activity.IN_PROGRESS, "a swap that does not end");
    assertEquals(0, status.running() + status.waiting(), "requests that nobody asked");
    boolean serves = status.engine() == EngineMode.SERVING;
    assertEquals(serves, status.serving().isPresent(), "it does not say how it stands");
    if (!serves && !(idles && !unloaded && !trouble.any())) { // else who asks brings it back
      host.registry.load(Geometry.ALPHA.id());
    }
    host.registry.unpin(new AgentId("client-1")); // whose cache may fill the pool
    answers();
    if (strangers) {
      swapsWorkAndAgentsAreRemembered();
    }
  }

  private void answers() {
    GenerationRequest last = ScriptedHost.request("somebody", 4, ScriptedHost.tokens(9, 9));
    Generation answer = host.ask(last);
    awaitEnd(answer, last);
    assertEquals(
        host.registry.current().orElseThrow().tag(), answer.await().model(), "who serves?");
  }

  /** An agent's model is brought back, and he goes on where he was. */
  private void swapsWorkAndAgentsAreRemembered() {
    Optional<Asked> last = asked.lastAnswered(new AgentId("client-0"));
    Geometry next =
        last.flatMap(Asked::result)
            .map(result -> Geometry.of(result.model()))
            .orElse(Geometry.BETA);
    try {
      host.registry.swapWithRollback(next.id());
    } catch (ModelSwapException e) {
      throw new AssertionError("no swap works any more", e);
    }
    answers();
    if (last.isPresent() && !forgets && trouble.spared(MAY_LOSE)) {
      GenerationRequest asked = last.get().request();
      int[] said =
          ScriptedHost.said(
              ((Prompt.Tokens) asked.prompt()).ids(), last.get().result().orElseThrow());
      GenerationRequest again = ScriptedHost.request(asked.agent().orElseThrow().name(), 2, said);
      Generation answer = host.ask(again);
      awaitEnd(answer, again);
      assertTrue(answer.await().cachedTokens() >= said.length - 1, "a cache was lost");
    }
  }
}
