package dev.semantic.mlx.isolated;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.semantic.kv.KvSnapshot;
import dev.semantic.kv.KvSnapshot.LayerKv;
import dev.semantic.model.KvLayout;
import dev.semantic.model.KvPrecision;
import dev.semantic.model.ModelException;
import dev.semantic.model.ModelTag;
import java.nio.ByteBuffer;
import java.util.List;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;

/** What goes between parent and child is the whole snapshot. */
class SnapshotsTest {
  private static final KvSnapshot PARTED =
      new KvSnapshot(
          new ModelTag("tiny", "0a".repeat(32)),
          KvLayout.uniform(1, 1, 2),
          KvPrecision.FLOAT32,
          new int[] {5, 6, 7},
          List.of(new LayerKv(0, 3, bytes(1), bytes(2))),
          List.of(1, 2));

  private static ByteBuffer bytes(int first) {
    byte[] bytes = new byte[3 * 2 * 4];
    bytes[0] = (byte) first;
    return ByteBuffer.wrap(bytes);
  }

  /** From a process that is no longer ours. */
  @Test
  @NullUnmarked
  void whatFitsNothingIsRefused() {
    Response.State good = Snapshots.answer(PARTED);
    List<ByteBuffer> parts = Snapshots.parts(PARTED);
    Response.State without =
        new Response.State(
            good.tag(), good.layout(), null, good.tokens(), good.layers(), List.of(), false);
    for (List<ByteBuffer> bad : List.of(List.<ByteBuffer>of(), parts.subList(0, 1))) {
      assertThrows(ModelException.class, () -> Snapshots.of(good, bad));
    }
    assertThrows(ModelException.class, () -> Snapshots.of(without, parts));
  }

  @Test
  void whereASequenceIsPartedIsToldThereAndBack() {
    List<ByteBuffer> parts = Snapshots.parts(PARTED);
    for (KvSnapshot back :
        List.of(
            Snapshots.of(Snapshots.ask(PARTED), parts),
            Snapshots.of(Snapshots.answer(PARTED), parts))) {
      assertEquals(List.of(1, 2), back.seams());
      assertEquals(PARTED.tag(), back.tag());
      assertEquals(bytes(2), back.layers().getFirst().values());
    }
  }
}
