package dev.semantic.store;

import static dev.semantic.store.Snapshots.ALPHA;
import static dev.semantic.store.Snapshots.assertSame;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.kv.AgentId;
import dev.semantic.kv.AgentSnapshot;
import dev.semantic.kv.KvSnapshot;
import dev.semantic.model.KvLayout;
import dev.semantic.model.KvPrecision;
import dev.semantic.store.disk.Fault;
import dev.semantic.store.disk.FaultyDisk;
import dev.semantic.store.format.CacheFormat;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The power fails before the first file operation, the second, the third, …; of what was not forced
 * nothing is left, or something. What was acknowledged as parked is there.
 */
class PowerLossTest {
  private static final AgentId ANNA = new AgentId("anna");
  private static final AgentId BERT = new AgentId("bert");
  private static final AgentId CLARA = new AgentId("clara");
  private static final KvLayout LAYOUT =
      new KvLayout(List.of(new KvLayout.Layer(1, 4, 0), new KvLayout.Layer(1, 2, 3)));
  private static final int CHANCES = 1;

  private static final KvSnapshot FIRST = Snapshots.of(ALPHA, LAYOUT, KvPrecision.FLOAT16, 9, 1);
  private static final KvSnapshot LATER =
      Snapshots.joined(FIRST, Snapshots.of(ALPHA, LAYOUT, KvPrecision.FLOAT16, 5, 2));
  private static final KvSnapshot FORK = Snapshots.fork(LATER, 6, 3);

  @TempDir(factory = MemoryDirectory.class)
  Path directory;

  private final FaultyDisk disk = FaultyDisk.create();
  private StandardError log;

  /** What the host knows: what was acknowledged, and what it was waiting for. */
  private final Map<AgentId, KvSnapshot> acknowledged = new HashMap<>();

  private final Map<AgentId, Optional<KvSnapshot>> waiting = new HashMap<>();

  @BeforeEach
  void listen() {
    log = new StandardError();
  }

  @AfterEach
  void close() {
    log.close();
  }

  private static CacheFormat form(boolean encrypted) {
    CacheFormat open = new CacheFormat(Clock.systemUTC(), 4096, 4);
    return encrypted ? open.with(EncryptedCacheTest.key(1).files()) : open;
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void whatWasAcknowledgedIsThere(boolean encrypted) throws IOException {
    int losses = 0;
    int n = 1;
    for (boolean untouched = false; !untouched; n++) {
      Path root = directory.resolve("root" + n);
      acknowledged.clear();
      waiting.clear();
      disk.inject(Fault.from(n));
      untouched = work(root, encrypted);
      log.clear(); // how it complained that everything fails
      for (int chance = 0; chance <= CHANCES; chance++) {
        Path survivor = directory.resolve("survivor" + n + "-" + chance);
        Random luck = chance == 0 ? null : new Random(31L * n + chance);
        disk.losePower(root, survivor, luck);
        check(survivor, encrypted, "operation " + n + ", chance " + chance);
        losses++;
      }
    }
    assertTrue(losses > 200, "losses: " + losses);
  }

  /** Returns whether the power lasted. */
  private boolean work(Path root, boolean encrypted) {
    try (DiskCacheStore store = DiskCacheStore.open(disk.path(root), form(encrypted))) {
      park(store, ANNA, FIRST);
      park(store, ANNA, LATER);
      park(store, BERT, FORK);
      store.load(ANNA, ALPHA);
      waiting.put(BERT, Optional.empty());
      store.remove(BERT, ALPHA);
      acknowledged.remove(BERT);
      waiting.clear();
      return parkTogether(store, Map.of(ANNA, FORK, BERT, LATER, CLARA, FIRST));
    } catch (CacheException e) {
      return false;
    }
  }

  private void park(DiskCacheStore store, AgentId agent, KvSnapshot snapshot) {
    waiting.put(agent, Optional.of(snapshot));
    store.park(agent, snapshot);
    acknowledged.put(agent, snapshot);
    waiting.clear();
  }

  private boolean parkTogether(DiskCacheStore store, Map<AgentId, KvSnapshot> all) {
    all.forEach((agent, snapshot) -> waiting.put(agent, Optional.of(snapshot)));
    boolean whole = true;
    for (ParkingResult result :
        store.parkAll(
            all.entrySet().stream()
                .map(each -> new AgentSnapshot(each.getKey(), each.getValue()))
                .toList())) {
      if (result instanceof ParkingResult.Parked(ParkedCache cache)) {
        acknowledged.put(cache.agent(), all.get(cache.agent()));
        waiting.remove(cache.agent());
      } else {
        whole = false;
      }
    }
    return whole;
  }

  private void check(Path root, boolean encrypted, String when) throws IOException {
    try (DiskCacheStore store = DiskCacheStore.open(root, form(encrypted))) {
      for (AgentId agent : List.of(ANNA, BERT, CLARA)) {
        Optional<KvSnapshot> found = store.load(agent, ALPHA);
        KvSnapshot before = acknowledged.get(agent);
        KvSnapshot after = waiting.containsKey(agent) ? waiting.get(agent).orElse(null) : before;
        KvSnapshot expected =
            found.isPresent() && after != null && same(after, found.get()) ? after : before;
        boolean mayBeAbsent = before == null || after == null;
        assertTrue(
            found.isPresent() || mayBeAbsent, () -> agent + " is gone: " + when + log.text());
        if (found.isPresent() && expected != null) {
          assertSame(expected, found.get());
        }
      }
      assertFalse(Files.exists(root.resolve(".quarantine")), when + log.text());
      store.park(ANNA, FORK);
      assertSame(FORK, store.load(ANNA, ALPHA).orElseThrow());
    }
    assertFalse(log.text().contains("WARN"), () -> when + log.text());
  }

  private static boolean same(KvSnapshot one, KvSnapshot other) {
    return one.layers().equals(other.layers());
  }
}
