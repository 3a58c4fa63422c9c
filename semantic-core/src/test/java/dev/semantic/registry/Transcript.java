package dev.semantic.registry;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.kv.AgentId;
import dev.semantic.kv.KvSnapshot;
import dev.semantic.model.ModelTag;
import dev.semantic.registry.SwappingProgram.Step;
import dev.semantic.scripted.Geometry;
import dev.semantic.store.CacheStore;
import dev.semantic.store.ParkedCache;
import dev.semantic.swap.SwapPhase;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * What {@link SwappingProgram} said until it was killed, and with it the account of what must be in
 * its directory. One for each directory; the account goes on from process to process.
 */
final class Transcript implements ParkingLedger {
  private static final long PATIENCE_SECONDS = 60;

  private final Map<String, Account> accounts = new TreeMap<>();
  private final Map<String, int[]> conversations = new TreeMap<>();
  private final List<String> wrong = new ArrayList<>();
  private @Nullable Step step;
  private List<SwapPhase> announced = List.of();
  private boolean ended;
  private String place = "";
  private boolean closed;

  /** One agent's cache under one tag. */
  private static final class Account {
    private int @Nullable [] acknowledged;
    private int @Nullable [] underWay;

    boolean allows(int[] tokens) {
      return Arrays.equals(tokens, acknowledged) || Arrays.equals(tokens, underWay);
    }
  }

  private static String key(AgentId agent, ModelTag tag) {
    return agent.name() + " of " + tag.model();
  }

  @Override
  public synchronized void parking(AgentId agent, ModelTag tag, int[] tokens) {
    accounts.computeIfAbsent(key(agent, tag), none -> new Account()).underWay = tokens.clone();
  }

  @Override
  public synchronized void parked(AgentId agent, ModelTag tag) {
    Account account = Objects.requireNonNull(accounts.get(key(agent, tag)), "parked, not parking");
    account.acknowledged = account.underWay;
    account.underWay = null;
  }

  /** Another process begins. */
  synchronized void begin() {
    step = null;
    announced = List.of();
    ended = false;
    closed = false;
    place = "";
  }

  /** One line of its output. */
  synchronized void hear(String line) {
    List<String> words = List.of(line.split(" ", -1));
    switch (words.getFirst()) {
      case "parking" -> parking(agent(words), tag(words), tokens(words.get(3)));
      case "parked" -> parked(agent(words), tag(words));
      case "answered" -> conversations.put(words.get(1), tokens(words.get(2)));
      case "step" -> {
        step = Step.valueOf(words.get(1));
        announced = new ArrayList<>();
        ended = false;
        place = words.get(1);
      }
      case "phase" -> {
        announced.add(SwapPhase.valueOf(words.get(2)));
        place = words.get(1) + ":" + words.get(2);
      }
      case "ended" -> {
        ended = true;
        place = words.get(1) + ":END";
      }
      default -> wrong.add(line);
    }
    notifyAll();
  }

  private static AgentId agent(List<String> words) {
    return new AgentId(words.get(1));
  }

  private static ModelTag tag(List<String> words) {
    return SwappingProgram.geometry(words.get(2)).tag();
  }

  private static int[] tokens(String csv) {
    return Arrays.stream(csv.split(",", -1)).mapToInt(Integer::parseInt).toArray();
  }

  /** Its output has ended. */
  synchronized void close() {
    closed = true;
    notifyAll();
  }

  /** Waits until it has said that it is there; false if it ends before. */
  synchronized boolean await(String where) throws InterruptedException {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
    while (!place.equals(where) && !closed && System.nanoTime() < end) {
      TimeUnit.NANOSECONDS.timedWait(this, end - System.nanoTime());
    }
    return place.equals(where);
  }

  /** Waits until all is heard that it has said. */
  synchronized void awaitEnd() throws InterruptedException {
    while (!closed) {
      wait();
    }
  }

  /** Nothing went wrong while it lived. */
  synchronized void assertGood() {
    assertEquals(List.of(), wrong);
  }

  /** Where the last step had come to, by its own words. */
  synchronized String place() {
    return place;
  }

  synchronized Optional<Step> step() {
    return Optional.ofNullable(step);
  }

  /**
   * The phases one of which the journal must tell; empty for none.
   *
   * @param all of the step
   * @param exactly whether it stood still when it was killed
   */
  synchronized List<Optional<SwapPhase>> possible(List<SwapPhase> all, boolean exactly) {
    if (ended || step == null) {
      return List.of(Optional.empty());
    }
    assertEquals(all.subList(0, announced.size()), announced, "the phases of " + step);
    List<Optional<SwapPhase>> order = new ArrayList<>(List.of(Optional.empty()));
    all.forEach(phase -> order.add(Optional.of(phase)));
    order.add(Optional.empty());
    int now = announced.size();
    return order.subList(now, exactly ? now + 1 : now + 2);
  }

  /** Each agent's last conversation that came with an answer. */
  synchronized Map<String, int[]> conversations() {
    return new TreeMap<>(conversations);
  }

  /**
   * Whatever was acknowledged is in the store, whole, or what was just taking its place; and
   * nothing else is.
   *
   * @return the tokens of each agent's cache under the model
   */
  synchronized Map<String, int[]> assertKept(CacheStore store, Geometry model) {
    Map<String, int[]> kept = new HashMap<>();
    for (ParkedCache cache : store.parked(model.tag())) {
      KvSnapshot snapshot = store.load(cache.agent(), model.tag()).orElseThrow();
      Account account = accounts.getOrDefault(key(cache.agent(), model.tag()), new Account());
      assertTrue(
          account.allows(snapshot.tokens()), () -> key(cache.agent(), model.tag()) + " is another");
      assertEquals(snapshot.tokens().length, cache.tokens());
      account.acknowledged = snapshot.tokens();
      account.underWay = null;
      kept.put(cache.agent().name(), snapshot.tokens());
    }
    for (String agent : SwappingProgram.AGENTS) {
      Account account = accounts.get(key(new AgentId(agent), model.tag()));
      if (account != null && account.acknowledged != null) {
        assertArrayEquals(account.acknowledged, kept.get(agent), agent + " was lost");
      } else {
        accounts.remove(key(new AgentId(agent), model.tag()));
      }
    }
    return kept;
  }

  /** How many caches the directory holds. */
  synchronized int size() {
    return accounts.size();
  }
}
