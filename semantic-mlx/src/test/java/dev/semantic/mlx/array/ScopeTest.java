package dev.semantic.mlx.array;

import static dev.semantic.mlx.testing.Refusal.assertRefused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.semantic.mlx.capi.ArithmeticCalls;
import dev.semantic.mlx.testing.RequiresNatives;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

@RequiresNatives
class ScopeTest {
  @Test
  void closingFreesEverythingBelow() {
    OnMlx.run(
        s -> {
          long before = LiveHandles.count();
          Scope layer = s.child("layer");
          Scope step = layer.child("step");
          layer.ints(1, 2);
          Elementwise.add(step, layer.ints(1), step.ints(2));
          assertEquals(2, layer.liveArrays());
          assertEquals(2, step.liveArrays());
          assertEquals(before + 4, LiveHandles.count());
          layer.close();
          assertEquals(before, LiveHandles.count());
          assertEquals(0, step.liveArrays());
          layer.close(); // a second time is no mistake
          step.close();
          assertEquals("test / layer / step", step.toString());
        });
  }

  @Test
  void keptArraysOutliveTheScopeTheyCameFrom() {
    OnMlx.run(
        s -> {
          MlxArray kept;
          try (Scope step = s.child("step")) {
            MlxArray a = step.ints(1, 2, 3);
            MlxArray sum = Elementwise.add(step, a, a);
            step.ints(4);
            kept = s.keep(sum);
            assertEquals(2, step.liveArrays());
            assertEquals(1, s.liveArrays());
            assertEquals(kept, s.keep(kept), "keeping twice changes nothing");
            assertEquals(1, s.liveArrays());
          }
          // The graph below it is gone for Java, not for MLX.
          assertArrayEquals(new int[] {2, 4, 6}, kept.toInts());
          s.release(kept);
          assertEquals(0, s.liveArrays());
        });
  }

  @Test
  void releaseFreesOneAndOnlyFromItsOwnScope() {
    OnMlx.run(
        s -> {
          MlxArray a = s.ints(1).named("a");
          MlxArray b = s.ints(2).named("b");
          MlxArray c = s.ints(3).named("c");
          s.release(a);
          assertEquals(2, b.toInts()[0]);
          assertEquals(3, c.toInts()[0]);
          assertRefused(IllegalStateException.class, () -> s.release(a), "'a'", "'test'");
          try (Scope other = s.child("other")) {
            assertRefused(
                IllegalArgumentException.class, () -> other.release(b), "'b'", "'test'", "'other'");
          }
          s.release(c);
          s.release(b);
          assertEquals(0, s.liveArrays());
        });
  }

  /** Against a plain list, in any order: slots move when an array leaves. */
  @Test
  void anyOrderOfKeepAndReleaseFreesEachOnce() {
    long seed = new Random().nextLong();
    Random random = new Random(seed);
    OnMlx.run(
        s -> {
          long before = LiveHandles.count();
          Scope a = s.child("a");
          Scope b = s.child("b");
          List<MlxArray> alive = new ArrayList<>();
          for (int step = 0; step < 2_000; step++) {
            int what = random.nextInt(4);
            if (what < 2 || alive.isEmpty()) {
              alive.add((random.nextBoolean() ? a : b).ints(step).named("no " + step));
            } else {
              MlxArray chosen = alive.get(random.nextInt(alive.size()));
              if (what == 2) {
                (random.nextBoolean() ? a : b).keep(chosen);
              } else {
                alive.remove(chosen);
                chosen.scope().release(chosen);
              }
            }
            assertEquals(alive.size(), a.liveArrays() + b.liveArrays(), "seed " + seed);
          }
          for (MlxArray array : alive) {
            assertEquals("no " + array.toInts()[0], array.name(), "seed " + seed);
          }
          a.close();
          b.close();
          assertEquals(before, LiveHandles.count(), "seed " + seed);
        });
  }

  @Test
  void useAfterCloseNamesTheArrayAndItsScope() {
    OnMlx.run(
        s -> {
          Scope step = s.child("step 7");
          MlxArray dead = step.ints(1).named("blk.3.attn_q");
          assertEquals(1, dead.rank()); // known by now, and still refused afterwards
          step.close();
          MlxArray alive = s.ints(1);
          String[] words = {"'blk.3.attn_q'", "'step 7'"};
          assertRefused(IllegalStateException.class, () -> Elementwise.add(s, alive, dead), words);
          assertRefused(
              IllegalStateException.class, () -> Ops.concatenate(s, 0, alive, dead), words);
          assertRefused(IllegalStateException.class, () -> s.eval(alive, dead), words);
          assertRefused(IllegalStateException.class, () -> s.keep(dead), words);
          assertRefused(IllegalStateException.class, dead::toInts, words);
          assertRefused(IllegalStateException.class, dead::shape, words);
          assertRefused(IllegalStateException.class, dead::bytes, words);
          assertEquals("blk.3.attn_q (freed)", dead.toString());
          assertRefused(IllegalStateException.class, () -> step.ints(1), "'step 7' is closed");
          assertRefused(IllegalStateException.class, () -> step.child("x"), "'step 7' is closed");
          assertRefused(
              IllegalStateException.class,
              () -> Elementwise.add(step, alive, alive),
              "'step 7' is closed");
          assertEquals(1, s.liveArrays());
        });
  }

  @Test
  void anotherThreadIsRefused() {
    MlxSession session = MlxSession.open();
    Scope scope = session.owner().call(() -> session.scope("weights"));
    MlxArray one = session.owner().call(() -> scope.ints(1));
    String here = Thread.currentThread().getName();
    assertRefused(IllegalStateException.class, () -> scope.ints(1), "'weights'", here);
    assertRefused(IllegalStateException.class, one::toInts, "'weights'", here);
    assertRefused(IllegalStateException.class, () -> session.scope("mine"), "'mine'", here);
    assertRefused(IllegalStateException.class, scope::close, "'weights'", here);
    assertEquals("data", one.toString());
    session.owner().run(scope::close);
  }

  /** The slot for results is one for all threads; a refused call must leave in it what it finds. */
  @Test
  void aRefusedCallDoesNotTouchTheOwnersResult() {
    OnMlx.run(
        s -> {
          MlxArray one = s.ints(1);
          ArithmeticCalls.add(CallBuffers.result(), one.handle(), one.handle(), s.stream());
          Thread intruder =
              Thread.ofPlatform()
                  .start(
                      () -> {
                        assertThrows(
                            IllegalStateException.class, () -> Elementwise.add(s, one, one));
                        assertThrows(
                            IllegalStateException.class, () -> Ops.zeros(s, DType.INT32, 9, 9));
                      });
          join(intruder);
          assertEquals(2, s.adoptResult("sum").toInts()[0]);
        });
  }

  private static void join(Thread thread) {
    try {
      thread.join();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
