package dev.semantic.cache;

import dev.semantic.memory.ByteSize;
import dev.semantic.model.KvLayout;
import dev.semantic.model.KvPrecision;
import java.util.ArrayList;
import java.util.List;

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

  /**
   * Blocks that several leases begin with; they are free again when the last of these is closed.
   */
  private static final class Shared {
    private final int blocks;
    private int leases = 1;

    Shared(int blocks) {
      this.blocks = blocks;
    }
  }

  /** A lease's part in {@code whole}: its first {@code blocks}. */
  private record Part(Shared whole, int blocks) {}

  /** The blocks of one sequence. Used by one thread at a time. */
  public final class Lease implements AutoCloseable {
    private final int from = generation();
    private final List<Part> shared = new ArrayList<>();
    private int own; // behind those that are shared

    private Lease() {}

    /** Makes the lease large enough for so many tokens; false, with nothing taken, if it can't. */
    public boolean growTo(int tokens) {
      int wanted = Math.ceilDiv(tokens, BLOCK_TOKENS) - sharedBlocks();
      if (wanted <= own || take(wanted - own, from)) {
        own = Math.max(own, wanted);
        return true;
      }
      return false;
    }

    /** A lease that begins with the first blocks of this one, which are counted once for both. */
    public Lease fork(int blocks) {
      if (blocks < 0 || blocks > blocks()) {
        throw new IllegalArgumentException(
            "A lease of %d blocks cannot share %d".formatted(blocks(), blocks));
      }
      int ownToShare = blocks - sharedBlocks();
      if (ownToShare > 0) {
        shared.add(new Part(new Shared(ownToShare), ownToShare));
        own -= ownToShare;
      }
      Lease fork = new Lease();
      int left = blocks;
      for (Part part : shared) {
        int taken = Math.min(left, part.blocks());
        if (taken > 0) {
          join(part.whole());
          fork.shared.add(new Part(part.whole(), taken));
          left -= taken;
        }
      }
      return fork;
    }

    private int sharedBlocks() {
      return shared.stream().mapToInt(Part::blocks).sum();
    }

    /** All of them, shared ones too. */
    public int blocks() {
      return sharedBlocks() + own;
    }

    /** Gives all blocks back, the shared ones if nobody else has them. */
    @Override
    public void close() {
      giveBack(own, from);
      own = 0;
      for (Part part : shared) {
        leave(part.whole(), from);
      }
      shared.clear();
    }
  }

  private synchronized void join(Shared shared) {
    shared.leases++;
  }

  private synchronized void leave(Shared shared, int from) {
    shared.leases--;
    if (shared.leases == 0) {
      giveBack(shared.blocks, from);
    }
  }
}
