package dev.semantic.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.engine.IdleSequences.IdleSequence;
import dev.semantic.kv.BlockPool;
import dev.semantic.memory.ByteSize;
import dev.semantic.model.KvLayout;
import dev.semantic.model.KvPrecision;
import org.junit.jupiter.api.Test;

class LostBlocksTest {
  private final BlockPool pool = new BlockPool(ByteSize.ofMiB(64));

  LostBlocksTest() {
    pool.reconfigure(KvLayout.uniform(2, 1, 4), KvPrecision.FLOAT32);
  }

  @Test
  void aSequenceThatTheModelCannotMakeGivesItsBlocksBack() {
    int all = pool.availableBlocks();
    BlockPool.Lease lease = pool.lease();
    assertTrue(lease.growTo(3 * BlockPool.BLOCK_TOKENS));
    assertEquals(all - 3, pool.availableBlocks());
    assertThrows(
        IllegalStateException.class,
        () ->
            IdleSequence.of(
                lease,
                false,
                () -> {
                  throw new IllegalStateException("not restored");
                }));
    assertEquals(all, pool.availableBlocks());
  }
}
