package dev.semantic.cache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.memory.ByteSize;
import dev.semantic.model.KvLayout;
import dev.semantic.model.KvPrecision;
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
}
