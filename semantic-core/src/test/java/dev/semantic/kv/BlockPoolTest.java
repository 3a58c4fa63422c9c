package dev.semantic.kv;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.memory.ByteSize;
import dev.semantic.model.KvLayout;
import dev.semantic.model.KvPrecision;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class BlockPoolTest {
  private static final KvLayout SMALL = KvLayout.uniform(2, 1, 4);
  private static final KvLayout TWICE = KvLayout.uniform(4, 1, 4);

  private final BlockPool pool = new BlockPool(ByteSize.parse("128KiB"));

  @Test
  void theSameMemoryIsHalfTheBlocksWhenABlockCostsTwice() {
    assertEquals(0, pool.availableBlocks());
    pool.reconfigure(SMALL, KvPrecision.FLOAT32);
    assertEquals(8, pool.totalBlocks());
    assertEquals(new ByteSize(16_384), pool.blockSize());
    pool.reconfigure(TWICE, KvPrecision.FLOAT32);
    assertEquals(4, pool.availableBlocks());
    pool.reconfigure(TWICE, KvPrecision.FLOAT16);
    assertEquals(8, pool.availableBlocks());
  }

  @Test
  void aLeaseGrowsByWholeBlocksAndGivesAllBack() {
    pool.reconfigure(SMALL, KvPrecision.FLOAT32);
    BlockPool.Lease lease = pool.lease();
    assertTrue(lease.growTo(0));
    assertTrue(lease.growTo(1));
    assertTrue(lease.growTo(256));
    assertEquals(7, pool.availableBlocks());
    assertTrue(lease.growTo(257));
    assertEquals(2, lease.blocks());
    lease.close();
    lease.close();
    assertEquals(8, pool.availableBlocks());
  }

  @Test
  void whatIsNotThereIsNotTaken() {
    pool.reconfigure(SMALL, KvPrecision.FLOAT32);
    BlockPool.Lease one = pool.lease();
    BlockPool.Lease other = pool.lease();
    assertTrue(one.growTo(7 * 256));
    assertFalse(other.growTo(257));
    assertEquals(1, pool.availableBlocks(), "a refusal took blocks");
    assertTrue(other.growTo(256));
  }

  @Test
  void blocksOfTwoGeometriesAreNeverCountedTogether() {
    pool.reconfigure(SMALL, KvPrecision.FLOAT32);
    BlockPool.Lease lease = pool.lease();
    lease.growTo(1);
    assertThrows(IllegalStateException.class, () -> pool.reconfigure(TWICE, KvPrecision.FLOAT32));
    lease.close();
    pool.reconfigure(TWICE, KvPrecision.FLOAT32);
  }

  private BlockPool.Lease lease(int tokens) {
    BlockPool.Lease lease = pool.lease();
    assertTrue(lease.growTo(tokens));
    return lease;
  }

  @Test
  void whatIsNotNeededAnyMoreIsGivenBack() {
    pool.reconfigure(SMALL, KvPrecision.FLOAT32);
    BlockPool.Lease lease = lease(1000);
    lease.shrinkTo(1000);
    assertEquals(4, pool.availableBlocks());
    lease.shrinkTo(300);
    assertEquals(6, pool.availableBlocks());
    assertTrue(lease.growTo(600));
    assertEquals(5, pool.availableBlocks());
  }

  @Test
  void sharedBlocksAreCountedOnceAndUntilTheLastLeaves() {
    pool.reconfigure(SMALL, KvPrecision.FLOAT32);
    BlockPool.Lease one = lease(1000);
    BlockPool.Lease other = one.fork(512).orElseThrow();
    assertEquals(4, pool.availableBlocks());
    assertTrue(other.growTo(1000));
    assertEquals(2, pool.availableBlocks());
    one.close();
    assertEquals(4, pool.availableBlocks());
    other.shrinkTo(100); // memory is not freed by halves
    assertEquals(6, pool.availableBlocks());
    other.shrinkTo(0);
    assertEquals(8, pool.availableBlocks());
  }

  @Test
  void whatIsWrittenBehindACutPartIsCountedThere() {
    pool.reconfigure(SMALL, KvPrecision.FLOAT32);
    BlockPool.Lease one = lease(512);
    BlockPool.Lease other = one.fork(512).orElseThrow();
    other.shrinkTo(300);
    assertEquals(6, pool.availableBlocks());
    assertTrue(other.growTo(512)); // 212 tokens of its own
    assertEquals(5, pool.availableBlocks());
  }

  @Test
  void partingWithinABlockTakesOneMoreOrIsRefused() {
    pool.reconfigure(SMALL, KvPrecision.FLOAT32);
    BlockPool.Lease one = lease(512);
    BlockPool.Lease rest = lease(6 * 256);
    assertEquals(Optional.empty(), one.fork(300));
    assertEquals(0, one.sharedTokens());
    rest.shrinkTo(5 * 256);
    assertTrue(one.fork(300).isPresent());
    assertEquals(0, pool.availableBlocks());
  }

  @Test
  void aForkOfAForgottenLeaseCountsAsNothingToo() {
    pool.reconfigure(SMALL, KvPrecision.FLOAT32);
    BlockPool.Lease forgotten = lease(1000);
    pool.forgetLeases();
    try (BlockPool.Lease fork = forgotten.fork(512).orElseThrow()) {
      assertFalse(fork.growTo(1000), "it took blocks that nobody would miss");
    }
    forgotten.close();
    assertEquals(8, pool.availableBlocks());
  }

  @Test
  void whatIsJoinedIsCountedOnceMoreAsLongAsOthersHoldItToo() {
    BlockPool large = new BlockPool(ByteSize.parse("512KiB")); // 32 blocks
    large.reconfigure(SMALL, KvPrecision.FLOAT32);
    BlockPool.Lease last = large.lease();
    List<BlockPool.Lease> chain = new ArrayList<>(List.of(last));
    for (int i = 1; i <= 8; i++) {
      assertTrue(last.growTo(i * 256));
      last = last.fork(i * 256).orElseThrow();
      chain.add(last);
      assertEquals(32 - i, large.availableBlocks());
    }
    assertTrue(last.growTo(9 * 256));
    BlockPool.Lease ninth = last.fork(9 * 256).orElseThrow();
    assertEquals(32 - 9 - 2, large.availableBlocks(), "the two that were joined");
    chain.forEach(BlockPool.Lease::close);
    assertEquals(32 - 9, large.availableBlocks());
    ninth.close();
    assertEquals(32, large.availableBlocks());
  }

  @Test
  void joiningIsRefusedWhereItTakesBlocksThatAreNotThere() {
    BlockPool large = new BlockPool(ByteSize.parse("160KiB")); // 10 blocks
    large.reconfigure(SMALL, KvPrecision.FLOAT32);
    BlockPool.Lease last = large.lease();
    for (int i = 1; i <= 8; i++) {
      assertTrue(last.growTo(i * 256));
      last = last.fork(i * 256).orElseThrow();
    }
    assertTrue(last.growTo(9 * 256));
    assertEquals(Optional.empty(), last.fork(9 * 256));
    assertEquals(1, large.availableBlocks());
    assertEquals(8 * 256, last.sharedTokens(), "nothing has changed");
  }

  @Test
  void whatIsBookedForAForkThatDoesNotComeIsGivenBack() {
    pool.reconfigure(SMALL, KvPrecision.FLOAT32);
    BlockPool.Lease one = lease(512);
    BlockPool.Fork fork = one.beginFork(300).orElseThrow();
    assertEquals(5, pool.availableBlocks());
    assertEquals(0, one.sharedTokens());
    fork.close();
    assertEquals(6, pool.availableBlocks());
  }

  @Test
  void whoComesBackInPartsIsCountedInParts() {
    pool.reconfigure(SMALL, KvPrecision.FLOAT32);
    BlockPool.Lease back = lease(1000);
    assertTrue(back.partAt(List.of(256, 768)));
    assertEquals(768, back.sharedTokens());
    assertEquals(4, pool.availableBlocks());
    assertTrue(back.partAt(List.of(800)));
    assertEquals(3, pool.availableBlocks(), "the block that is parted lies in two parts");
    back.close();
    assertEquals(8, pool.availableBlocks());
  }

  private static final int TOTAL = 60;
  private static int joined; // by models

  /** What a lease is made of, for one who counts by looking at all of them. */
  private static final class Model {
    private final List<Object> parts = new ArrayList<>(); // what is shared, by identity
    private final List<Integer> lengths = new ArrayList<>(); // tokens used of each
    private int own;

    private int shared() {
      return lengths.stream().mapToInt(Integer::intValue).sum();
    }

    private int needed(int tokens) {
      return Math.ceilDiv(Math.max(0, tokens - shared()), 256);
    }

    private Model copy() {
      Model copy = new Model();
      copy.parts.addAll(parts);
      copy.lengths.addAll(lengths);
      copy.own = own;
      return copy;
    }

    /** The first tokens are of parts that can be shared, eight at the most. */
    private void part(int tokens, Map<Object, Integer> sizes) {
      int length = tokens - shared();
      if (length <= 0) {
        return;
      }
      own -= length / 256;
      add(parts.size(), length, sizes);
      if (parts.size() > 8) {
        int first =
            IntStream.range(0, 8)
                .boxed()
                .min(Comparator.comparingInt(i -> lengths.get(i) + lengths.get(i + 1)))
                .orElseThrow();
        int both = lengths.get(first) + lengths.get(first + 1);
        parts.subList(first, first + 2).clear();
        lengths.subList(first, first + 2).clear();
        add(first, both, sizes);
        joined++;
      }
    }

    private void add(int at, int length, Map<Object, Integer> sizes) {
      Object part = new Object();
      sizes.put(part, Math.ceilDiv(length, 256));
      parts.add(at, part);
      lengths.add(at, length);
    }

    private void cut(int tokens) {
      while (shared() > tokens) {
        int last = lengths.removeLast();
        int stay = last - (shared() + last - tokens);
        if (stay > 0) {
          lengths.add(stay);
          return;
        }
        parts.removeLast();
      }
    }
  }

  private static int taken(Collection<Model> all, Map<Object, Integer> sizes) {
    Set<Object> shared = new HashSet<>();
    all.forEach(model -> shared.addAll(model.parts));
    return shared.stream().mapToInt(sizes::get).sum()
        + all.stream().mapToInt(model -> model.own).sum();
  }

  @Test
  void theCountIsExactWhateverIsGrownSharedCutAndClosed() {
    for (long seed = 1; seed <= 300; seed++) {
      SplittableRandom random = new SplittableRandom(seed);
      BlockPool small = new BlockPool(ByteSize.parse("960KiB"));
      small.reconfigure(SMALL, KvPrecision.FLOAT32);
      Map<BlockPool.Lease, Model> all = new LinkedHashMap<>();
      Map<Object, Integer> sizes = new HashMap<>();
      for (int step = 0; step < 90; step++) {
        step(random, small, all, sizes);
        int free = TOTAL - taken(all.values(), sizes);
        assertEquals(free, small.availableBlocks(), "seed " + seed + ", step " + step);
      }
      all.keySet().forEach(BlockPool.Lease::close);
      assertEquals(TOTAL, small.availableBlocks(), "seed " + seed);
    }
    assertTrue(joined > 100, () -> "joined " + joined);
  }

  private static void step(
      SplittableRandom random,
      BlockPool pool,
      Map<BlockPool.Lease, Model> all,
      Map<Object, Integer> sizes) {
    if (all.isEmpty() || random.nextInt(6) == 0) {
      all.put(pool.lease(), new Model());
      return;
    }
    BlockPool.Lease lease = random.nextInt(3) == 0 ? deepest(all) : any(random, all);
    Model model = Objects.requireNonNull(all.get(lease));
    int tokens = random.nextInt(1500);
    switch (random.nextInt(8)) {
      case 0, 1 -> grow(lease, model, tokens, all, sizes);
      case 2 -> {
        lease.shrinkTo(tokens);
        model.cut(tokens);
        model.own = Math.min(model.own, model.needed(tokens));
      }
      case 3, 4, 5, 6 -> {
        boolean further = random.nextBoolean(); // by a little: chains grow long
        int end = model.shared() + 1 + random.nextInt(further ? 100 : 600);
        if (further) {
          grow(lease, model, end, all, sizes);
        }
        fork(lease, model, random.nextInt(8) > 0 ? end : tokens, all, sizes);
      }
      default -> {
        lease.close();
        all.remove(lease);
      }
    }
  }

  private static BlockPool.Lease any(SplittableRandom random, Map<BlockPool.Lease, Model> all) {
    return List.copyOf(all.keySet()).get(random.nextInt(all.size()));
  }

  private static BlockPool.Lease deepest(Map<BlockPool.Lease, Model> all) {
    return all.entrySet().stream()
        .max(Comparator.comparingInt(entry -> entry.getValue().parts.size()))
        .orElseThrow()
        .getKey();
  }

  private static void grow(
      BlockPool.Lease lease,
      Model model,
      int tokens,
      Map<BlockPool.Lease, Model> all,
      Map<Object, Integer> sizes) {
    int more = Math.max(0, model.needed(tokens) - model.own);
    boolean fits = more == 0 || more <= TOTAL - taken(all.values(), sizes);
    assertEquals(fits, lease.growTo(tokens));
    model.own += fits ? more : 0;
  }

  private static void fork(
      BlockPool.Lease lease,
      Model model,
      int tokens,
      Map<BlockPool.Lease, Model> all,
      Map<Object, Integer> sizes) {
    int held = model.shared() + 256 * model.own;
    if (tokens < 1 || tokens > held) {
      assertThrows(IllegalArgumentException.class, () -> lease.fork(tokens));
      return;
    }
    int before = taken(all.values(), sizes);
    Model parted = model.copy();
    parted.part(tokens, sizes);
    all.put(lease, parted);
    int after = taken(all.values(), sizes);
    Optional<BlockPool.Lease> fork = lease.fork(tokens);
    assertEquals(after <= Math.max(TOTAL, before), fork.isPresent());
    if (fork.isEmpty()) {
      all.put(lease, model);
      return;
    }
    Model its = parted.copy();
    its.own = 0;
    its.cut(tokens);
    all.put(fork.get(), its);
  }
}
