package dev.semantic.kv;

import dev.semantic.memory.ByteSize;
import dev.semantic.model.KvLayout;
import dev.semantic.model.KvPrecision;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

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

  /** For whoever is to see it and not to change it. */
  public KvPoolView view() {
    return new KvPoolView() {
      @Override
      public int availableBlocks() {
        return BlockPool.this.availableBlocks();
      }

      @Override
      public int totalBlocks() {
        return BlockPool.this.totalBlocks();
      }

      @Override
      public ByteSize blockSize() {
        return BlockPool.this.blockSize();
      }

      @Override
      public ByteSize capacity() {
        return capacity;
      }
    };
  }

  /** An empty share of the pool, for one sequence. */
  public Lease lease() {
    return new Lease(generation());
  }

  private synchronized int generation() {
    return generation;
  }

  private synchronized boolean take(int blocks, int from) {
    boolean there = blocks == 0 || (from == generation && blocks <= totalBlocks - takenBlocks);
    takenBlocks += there ? blocks : 0;
    return there;
  }

  private void giveBack(int blocks, int from) {
    count(-blocks, from);
  }

  private synchronized void count(int more, int from) {
    if (from == generation) {
      takenBlocks += more;
    }
  }

  private synchronized int freeWithout(Shared shared) {
    return shared.leases == 1 ? shared.blocks : 0;
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
        Part last = parts.getLast();
        int stay = tokens - (sharedTokens() - last.tokens());
        if (stay > 0) {
          parts.set(
              parts.size() - 1, new Part(last.whole(), stay)); // nobody lets go of half a part
        } else {
          parts.removeLast();
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
     * once for both. If this one is of more parts than {@link SegmentMergePolicy} has it then, two
     * of them are joined, and counted once more if others hold them, too.
     *
     * @return empty, with nothing changed, where that takes blocks that are not there: to part
     *     within a block, or to join
     */
    public Optional<Lease> fork(int tokens) {
      return beginFork(tokens).map(Fork::end);
    }

    /**
     * The same in two steps: all that it takes is booked, and nothing is shared before {@link
     * Fork#end}.
     */
    public Optional<Fork> beginFork(int tokens) {
      if (tokens < 1 || tokens > sharedTokens() + own * BLOCK_TOKENS) {
        throw new IllegalArgumentException(
            "A lease of %d blocks cannot share %d tokens".formatted(blocks(), tokens));
      }
      int booked = Math.max(0, cost(tokens - sharedTokens()));
      return take(booked, from) ? Optional.of(new Fork(this, tokens, booked)) : Optional.empty();
    }

    /** Blocks more than now, once {@code length} tokens more are a part. */
    private int cost(int length) {
      if (length <= 0) {
        return 0;
      }
      List<Integer> tokens = new ArrayList<>(parts.stream().map(Part::tokens).toList());
      tokens.add(length);
      int cost = torn(length);
      OptionalInt pair = SegmentMergePolicy.toJoin(tokens);
      if (pair.isPresent()) {
        int first = pair.getAsInt();
        cost += Math.ceilDiv(tokens.get(first) + tokens.get(first + 1), BLOCK_TOKENS);
        for (int i = first; i < first + 2; i++) {
          cost -= i < parts.size() ? freeWithout(parts.get(i).whole()) : blocksOf(length);
        }
      }
      return cost;
    }

    private static int blocksOf(int tokens) {
      return Math.ceilDiv(tokens, BLOCK_TOKENS);
    }

    /** Whoever parts within a block holds that block twice. */
    private int torn(int length) {
      return blocksOf(length) - length / BLOCK_TOKENS;
    }

    /**
     * Parts it where a sequence that comes back is parted.
     *
     * @param seams as in {@link KvSnapshot}; not beyond what was grown to
     * @return false where there is no block for a part that ends within one; it is parted up to
     *     there then
     */
    public boolean partAt(List<Integer> seams) {
      for (int seam : seams) {
        int length = seam - sharedTokens();
        add(length); // first: memory may run out
        if (!take(torn(length), from)) {
          parts.removeLast();
          return false;
        }
        own -= length / BLOCK_TOKENS;
      }
      return true;
    }

    /** A part that can be shared of the first {@code length} tokens that are not. */
    private void add(int length) {
      parts.add(new Part(new Shared(blocksOf(length)), length));
    }

    private void part(int length) {
      add(length); // first: memory may run out
      count(torn(length), from);
      own -= length / BLOCK_TOKENS;
    }

    private void joinParts() {
      SegmentMergePolicy.toJoin(parts.stream().map(Part::tokens).toList())
          .ifPresent(
              index -> {
                Part first = parts.get(index);
                Part second = parts.get(index + 1);
                int tokens = first.tokens() + second.tokens();
                Part joined =
                    new Part(new Shared(blocksOf(tokens)), tokens); // the last that is made
                parts.set(index, joined);
                parts.remove(index + 1);
                count(joined.whole().blocks, from);
                leave(first.whole(), from); // stays counted if others have it
                leave(second.whole(), from);
              });
    }

    private int behindShared(int tokens) {
      return Math.ceilDiv(Math.max(0, tokens - sharedTokens()), BLOCK_TOKENS);
    }

    /** How many of the first tokens lie in blocks that others may have, too. */
    public int sharedTokens() {
      int tokens = 0;
      for (int i = 0; i < parts.size(); i++) { // no stream: closing must not need memory
        tokens += parts.get(i).tokens();
      }
      return tokens;
    }

    /** All that are not free as long as this lease is there, shared ones too. */
    public int blocks() {
      return parts.stream().mapToInt(part -> part.whole().blocks).sum() + own;
    }

    /** Gives all blocks back, the shared ones if nobody else has them. Allocates nothing. */
    @Override
    public void close() {
      shrinkTo(0);
    }
  }

  /** A lease that is about to be shared. Ended or closed by the thread that uses the lease. */
  public final class Fork implements AutoCloseable {
    private final Lease donor;
    private final int tokens;
    private int booked;

    private Fork(Lease donor, int tokens, int booked) {
      this.donor = donor;
      this.tokens = tokens;
      this.booked = booked;
    }

    /** The lease of the one that shares. */
    public Lease end() {
      Lease fork = new Lease(donor.from); // before anything is counted: memory may run out
      synchronized (BlockPool.this) {
        int length = tokens - donor.sharedTokens();
        close();
        if (length > 0) {
          donor.part(length);
          donor.joinParts();
        }
      }
      try {
        join(fork);
      } catch (Throwable t) {
        fork.close();
        throw t;
      }
      return fork;
    }

    private void join(Lease fork) {
      int left = tokens;
      for (Part part : donor.parts) {
        int taken = Math.min(left, part.tokens());
        if (taken > 0) {
          fork.parts.add(new Part(part.whole(), taken));
          BlockPool.this.join(part.whole());
          left -= taken;
        }
      }
    }

    /** Nothing is shared; does nothing after {@link #end}. */
    @Override
    public void close() {
      giveBack(booked, donor.from);
      booked = 0;
    }
  }
}
