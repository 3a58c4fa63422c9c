package dev.semantic.mlx.kv;

import static dev.semantic.mlx.kv.Told.HEADS;
import static dev.semantic.mlx.kv.Told.HEAD_DIM;
import static dev.semantic.mlx.kv.Told.KV_HEADS;
import static dev.semantic.mlx.kv.Told.SCALE;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.kv.KvSnapshot.LayerKv;
import dev.semantic.kv.SegmentMergePolicy;
import dev.semantic.mlx.array.DType;
import dev.semantic.mlx.array.MlxArray;
import dev.semantic.mlx.array.MlxSession;
import dev.semantic.mlx.array.Ops;
import dev.semantic.mlx.array.Scope;
import dev.semantic.mlx.testing.RequiresNatives;
import dev.semantic.model.KvLayout.Layer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Sequences of one step, held against attention as the paper writes it, and against themselves. */
@RequiresNatives
class RaggedAttentionTest {
  private static final float TOLERANCE = 1e-4f;
  private static final Layer FULL = new Layer(KV_HEADS, HEAD_DIM, 0);

  /** A sequence that is told its tokens one by one, each of which is checked. */
  private static final class Member {
    private final KvCache cache;
    private final Layer layer;
    private Told told;

    Member(KvCache cache, Layer layer, Told told) {
      this.cache = cache;
      this.layer = layer;
      this.told = told;
    }

    Member forked(Scope scope, int length, int seed) {
      KvCache fork;
      try (Scope s = scope.child("fork")) {
        fork = cache.fork(s, scope, length);
      }
      return new Member(fork, layer, told.butThen(length, Told.of(seed, 900)));
    }
  }

  private static void onMlx(Consumer<Scope> body) {
    MlxSession session = MlxSession.open();
    session
        .owner()
        .run(
            () -> {
              try (Scope scope = session.scope("ragged")) {
                body.accept(scope);
              }
            });
  }

  private static Member member(Scope scope, Layer layer, DType dtype, int seed, int length) {
    Told told = Told.of(seed, 1200);
    KvCache cache = KvCache.of(scope, layer, dtype);
    if (length > 0) {
      append(scope, cache, told, dtype, length);
    }
    return new Member(cache, layer, told);
  }

  private static void append(Scope scope, KvCache cache, Told told, DType dtype, int to) {
    try (Scope s = scope.child("prefill")) {
      int from = cache.offset();
      cache.attend(
          s,
          array(s, told, 0, HEADS, from, to, dtype),
          array(s, told, 1, KV_HEADS, from, to, dtype),
          array(s, told, 2, KV_HEADS, from, to, dtype),
          SCALE,
          new Masks(s));
      s.eval(List.of(cache.arrays()));
    }
  }

  private static MlxArray array(
      Scope s, Told told, int which, int heads, int from, int to, DType dtype) {
    return Ops.astype(s, told.array(s, which, heads, from, to), dtype);
  }

  /** One token each; what each attends to, {@code [HEADS, HEAD_DIM]}. */
  private static List<float[]> step(Scope scope, DType dtype, List<Member> members) {
    try (Scope s = scope.child("step")) {
      MlxArray out =
          Ops.astype(
              s,
              RaggedAttention.of(
                  s,
                  all(s, members, 0, HEADS, dtype),
                  all(s, members, 1, KV_HEADS, dtype),
                  all(s, members, 2, KV_HEADS, dtype),
                  members.stream().map(member -> member.cache).toList(),
                  SCALE),
              DType.FLOAT32);
      s.eval(out);
      float[] numbers = out.toFloats();
      List<float[]> each = new ArrayList<>();
      for (int i = 0; i < members.size(); i++) {
        each.add(Arrays.copyOfRange(numbers, i * HEADS * HEAD_DIM, (i + 1) * HEADS * HEAD_DIM));
      }
      return each;
    }
  }

  private static MlxArray all(Scope s, List<Member> members, int which, int heads, DType dtype) {
    MlxArray[] each =
        members.stream()
            .map(member -> member.told.array(s, which, heads, at(member), at(member) + 1))
            .toArray(MlxArray[]::new);
    return Ops.astype(s, each.length == 1 ? each[0] : Ops.concatenate(s, 0, each), dtype);
  }

  private static int at(Member member) {
    return member.cache.offset();
  }

  private static void checked(Scope scope, List<Member> members) {
    List<Integer> positions = members.stream().map(RaggedAttentionTest::at).toList();
    List<float[]> seen = step(scope, DType.FLOAT32, members);
    for (int i = 0; i < members.size(); i++) {
      Member member = members.get(i);
      int at = positions.get(i);
      float[] expected = member.told.attention(at, at + 1, member.layer.window());
      assertArrayEquals(expected, seen.get(i), TOLERANCE, "member %d at %d".formatted(i, at));
    }
  }

  @ParameterizedTest(name = "a window of {0}")
  @ValueSource(ints = {0, 1, 7, 255, 256, 257, 300})
  void sequencesOfAllLengthsStepTogether(int window) {
    Layer layer = new Layer(KV_HEADS, HEAD_DIM, window);
    int[] lengths = {0, 1, 6, 250, 255, 256, 257, 299, 510, 511, 512, 600};
    onMlx(
        scope -> {
          List<Member> members = new ArrayList<>();
          for (int length : lengths) {
            members.add(member(scope, layer, DType.FLOAT32, 7 * length + 1, length));
          }
          for (int step = 0; step < 12; step++) {
            checked(scope, members);
          }
        });
  }

  @Test
  void whoIsBesideASequenceDoesNotShow() {
    onMlx(
        scope -> {
          List<Member> together = new ArrayList<>();
          for (int length : new int[] {3, 200, 255, 700}) {
            together.add(member(scope, FULL, DType.FLOAT32, length, length));
          }
          together.add(together.get(3).forked(scope, 600, 77));
          Member alone = member(scope, FULL, DType.FLOAT32, 200, 200);
          for (int step = 0; step < 60; step++) {
            List<Member> present = together.subList(step % 2, 2 + step % 4);
            float[] beside = step(scope, DType.FLOAT32, present).get(1 - step % 2);
            assertArrayEquals(step(scope, DType.FLOAT32, List.of(alone)).getFirst(), beside, 0f);
          }
        });
  }

  /** Each begins where the one before it stands; all go on, also those that were begun from. */
  @Test
  void aDeepChainOfForksStaysShortAndRight() {
    int levels = 16;
    onMlx(
        scope -> {
          List<Member> chain = new ArrayList<>();
          chain.add(member(scope, FULL, DType.FLOAT32, 1, 20));
          int most = 0;
          for (int level = 1; level <= levels; level++) {
            Member last = chain.getLast();
            for (int i = 0; i < 3 + level % 5; i++) {
              checked(scope, List.of(last));
            }
            Member fork = last.forked(scope, at(last) - level % 3, 1000 * level);
            chain.add(fork);
            most = Math.max(most, fork.cache.segmentEnds().size());
            assertTrue(
                last.cache.segmentEnds().size() <= SegmentMergePolicy.MOST, "level " + level);
            checked(scope, chain);
          }
          assertEquals(SegmentMergePolicy.MOST, most, "the chain never grew to its limit");
          for (Member each : chain) {
            each.cache.trim(at(each) - 1);
          }
          checked(scope, chain);
        });
  }

  @ParameterizedTest
  @EnumSource(
      value = DType.class,
      names = {"FLOAT32", "BFLOAT16", "FLOAT16"})
  void whatIsRestoredGoesOnBitForBit(DType dtype) {
    onMlx(
        scope -> {
          for (int window : new int[] {0, 9, 256}) {
            Layer layer = new Layer(KV_HEADS, HEAD_DIM, window);
            for (int length : new int[] {1, 8, 9, 10, 255, 256, 257, 520}) {
              Member original = member(scope, layer, dtype, length, length);
              goesOnAlike(scope, original, dtype, length);
            }
          }
          Member donor = member(scope, FULL, dtype, 5, 300);
          Member fork = donor.forked(scope, 270, 99);
          append(scope, fork.cache, fork.told, dtype, 333);
          Member grandchild = fork.forked(scope, 330, 98);
          for (Member parted : List.of(donor, fork, grandchild)) {
            assertTrue(!parted.cache.segmentEnds().isEmpty());
            goesOnAlike(scope, parted, dtype, at(parted));
          }
        });
  }

  private static void goesOnAlike(Scope scope, Member original, DType dtype, int length) {
    KvCache back = KvCache.of(scope, original.layer, dtype);
    try (Scope s = scope.child("restore")) {
      LayerKv saved = original.cache.snapshot(s);
      back.restore(s, saved, original.cache.segmentEnds());
      s.eval(List.of(back.arrays()));
    }
    assertEquals(original.cache.segmentEnds(), back.segmentEnds());
    Member restored = new Member(back, original.layer, original.told);
    for (int step = 0; step < 20; step++) {
      assertArrayEquals(
          step(scope, dtype, List.of(original)).getFirst(),
          step(scope, dtype, List.of(restored)).getFirst(),
          0f,
          "%s, a window of %d, step %d behind %d"
              .formatted(dtype, original.layer.window(), step, length));
    }
  }
}
