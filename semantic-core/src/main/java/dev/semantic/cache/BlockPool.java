package dev.semantic.cache;

import dev.semantic.memory.ByteSize;
import dev.semantic.model.KvLayout;
import dev.semantic.model.KvPrecision;

/**
 * The account of KV cache memory: how many blocks of {@value #BLOCK_TOKENS} tokens there are, and
 * how many are taken. What a block costs depends on the model that serves, so the same memory is
 * another number of blocks after a swap. Holds no memory itself. Thread-safe.
 */
public final class BlockPool {
  /** Tokens in a block. */
  public static final int BLOCK_TOKENS = 256;

  private final ByteSize capacity;
  private long blockBytes;
  private int totalBlocks;
  private int takenBlocks;
  private int generation;

  /**
   * An account without a model: no blocks yet.
   *
   * @param capacity what all caches together may take
   */
  public BlockPool(ByteSize capacity) {
    this.capacity = capacity;
  }

  /**
   * Counts anew in a model's geometry.
   *
   * @throws IllegalStateException while blocks are taken: they would be counted in two geometries
   */
  public synchronized void reconfigure(KvLayout layout, KvPrecision precision) {
    if (takenBlocks != 0) {
      throw new IllegalStateException(takenBlocks + " blocks of the former model are still taken");
    }
    blockBytes = Math.multiplyExact(layout.bytesPerToken(precision), BLOCK_TOKENS);
    totalBlocks = (int) Math.min(Integer.MAX_VALUE, capacity.bytes() / blockBytes);
  }

  /**
   * Counts all blocks as free, and what is still leased as nothing: for when whoever holds a lease
   * does not come back.
   */
  public synchronized void forgetLeases() {
    generation++;
    takenBlocks = 0;
  }

  /** Blocks that could be taken now. */
  public synchronized int availableBlocks() {
    return totalBlocks - takenBlocks;
  }

  /** Blocks there are in the present geometry. */
  public synchronized int totalBlocks() {
    return totalBlocks;
  }

  /** Bytes of one block in the present geometry. */
  public synchronized ByteSize blockSize() {
    return new ByteSize(blockBytes);
  }

  /** What all caches together may take. */
  public ByteSize capacity() {
    return capacity;
  }

  /** An empty share of the pool, for one sequence. */
  public Lease lease() {
    return new Lease();
  }

  private synchronized int generation() {
    return generation;
  }

  private synchronized boolean take(int blocks, int from) {
    if (from != generation || blocks > totalBlocks - takenBlocks) {
      return false;
    }
    takenBlocks += blocks;
    return true;
  }

  private synchronized void giveBack(int blocks, int from) {
    if (from == generation) {
      takenBlocks -= blocks;
    }
  }

  /** The blocks of one sequence. Used by one thread at a time. */
  public final class Lease implements AutoCloseable {
    private final int from = generation();
    private int blocks;

    private Lease() {}

    /** Makes the lease large enough for so many tokens; false, with nothing taken, if it can't. */
    public boolean growTo(int tokens) {
      int wanted = Math.ceilDiv(tokens, BLOCK_TOKENS);
      if (wanted <= blocks || take(wanted - blocks, from)) {
        blocks = Math.max(blocks, wanted);
        return true;
      }
      return false;
    }

    public int blocks() {
      return blocks;
    }

    /** Gives all blocks back. */
    @Override
    public void close() {
      giveBack(blocks, from);
      blocks = 0;
    }
  }
}
