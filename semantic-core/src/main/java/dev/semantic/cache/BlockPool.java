package dev.semantic.cache;

import dev.semantic.memory.ByteSize;
import dev.semantic.model.KvLayout;
import dev.semantic.model.KvPrecision;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

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
    return new Lease(generation());
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

  private synchronized void join(Shared shared) {
    shared.leases++;
  }

  private synchronized void leave(Shared shared, int from) {
    shared.leases--;
    if (shared.leases == 0) {
      giveBack(shared.blocks, from);
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

  /** A lease's part in {@code whole}: its first {@code tokens}. */
  private record Part(Shared whole, int tokens) {}

  /** The blocks of one sequence. Used by one thread at a time. */
  public final class Lease implements AutoCloseable {
    private final int from;
    private final List<Part> parts = new ArrayList<>(); // shared ones
    private int own; // behind those that are shared

    private Lease(int from) {
      this.from = from;
    }

    /** Makes the lease large enough for so many tokens; false, with nothing taken, if it can't. */
    public boolean growTo(int tokens) {
      int wanted = behindShared(tokens);
      if (wanted <= own || take(wanted - own, from)) {
        own = Math.max(own, wanted);
        return true;
      }
      return false;
    }

    /** Gives back what is not needed for so many tokens. */
    public void shrinkTo(int tokens) {
      while (sharedTokens() > tokens) {
        Part last = parts.removeLast();
        int stay = tokens - sharedTokens();
        if (stay > 0) {
          parts.add(new Part(last.whole(), stay)); // nobody can let go of half a part
        } else {
          leave(last.whole(), from);
        }
      }
      int needed = behindShared(tokens);
      if (needed < own) {
        giveBack(own - needed, from);
        own = needed;
      }
    }

    /**
     * A lease that begins with the blocks of this one's first {@code tokens}, which are counted
     * once for both.
     *
     * @return empty, with nothing changed, where the place to part at lies within a block and there
     *     is no block left for the second half
     */
    public Optional<Lease> fork(int tokens) {
      if (tokens < 1 || tokens > sharedTokens() + own * BLOCK_TOKENS) {
        throw new IllegalArgumentException(
            "A lease of %d blocks cannot share %d tokens".formatted(blocks(), tokens));
      }
      int length = tokens - sharedTokens();
      if (length > 0 && !part(length)) {
        return Optional.empty();
      }
      Lease fork = new Lease(from);
      int left = tokens;
      for (Part part : parts) {
        int taken = Math.min(left, part.tokens());
        if (taken > 0) {
          join(part.whole());
          fork.parts.add(new Part(part.whole(), taken));
          left -= taken;
        }
      }
      return Optional.of(fork);
    }

    /** Makes a part that can be shared of the first {@code length} tokens that are not. */
    private boolean part(int length) {
      int blocks = Math.ceilDiv(length, BLOCK_TOKENS);
      int rest = own - length / BLOCK_TOKENS;
      if (blocks + rest > own && !take(1, from)) {
        return false;
      }
      parts.add(new Part(new Shared(blocks), length));
      own = rest;
      return true;
    }

    private int behindShared(int tokens) {
      return Math.ceilDiv(Math.max(0, tokens - sharedTokens()), BLOCK_TOKENS);
    }

    /** How many of the first tokens lie in blocks that others may have, too. */
    public int sharedTokens() {
      return parts.stream().mapToInt(Part::tokens).sum();
    }

    /** All that are not free as long as this lease is there, shared ones too. */
    public int blocks() {
      return parts.stream().mapToInt(part -> part.whole().blocks).sum() + own;
    }

    /** Gives all blocks back, the shared ones if nobody else has them. */
    @Override
    public void close() {
      shrinkTo(0);
    }
  }
}
