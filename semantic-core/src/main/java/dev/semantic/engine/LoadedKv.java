package dev.semantic.engine;

import dev.semantic.kv.BlockPool;
import dev.semantic.kv.KvSnapshot;
import dev.semantic.kv.KvSnapshotHeader;
import dev.semantic.kv.KvTarget;
import dev.semantic.log.Log;
import dev.semantic.spi.KvAllocation;
import dev.semantic.spi.Sequence;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * A parked cache that has been read: a copy that a model can take, or already in the memory of the
 * model, with blocks booked for it. Whoever has one begins with it or drops it.
 */
sealed interface LoadedKv {
  /** What it was computed from; not to be changed. */
  int[] tokens();

  /** Nobody wants it. By any thread, more than once if need be. */
  void drop();

  /** To be copied into the model's memory. */
  record Copy(KvSnapshot snapshot) implements LoadedKv {
    @Override
    public int[] tokens() {
      return snapshot.tokens();
    }

    @Override
    public void drop() {
      // the garbage collector's
    }
  }

  /** In the model's memory. */
  final class InPlace implements LoadedKv, KvTarget {
    private static final Log LOG = Log.of(InPlace.class);

    private final KvAllocation allocation;
    private final BlockPool.Lease lease;
    private final Consumer<InPlace> ended;
    private int[] tokens = {};
    private boolean imported;
    private boolean refused;
    private boolean over;

    /**
     * Nothing has been read yet.
     *
     * @param ended hears when it is somebody's sequence, or dropped
     */
    InPlace(KvAllocation allocation, BlockPool.Lease lease, Consumer<InPlace> ended) {
      this.allocation = allocation;
      this.lease = lease;
      this.ended = ended;
    }

    @Override
    public Optional<List<KvBuffers>> buffers(KvSnapshotHeader header) {
      tokens = header.tokens();
      imported = header.imported();
      Optional<List<KvBuffers>> places =
          book(header) ? allocation.buffers(header) : Optional.empty();
      refused = places.isEmpty();
      return places;
    }

    private synchronized boolean book(KvSnapshotHeader header) {
      return !over && lease.growTo(header.tokens().length) && lease.partAt(header.seams());
    }

    /** Whether it could have been read, but not to here: as a copy, then. */
    boolean refused() {
      return refused;
    }

    @Override
    public int[] tokens() {
      return tokens;
    }

    boolean imported() {
      return imported;
    }

    BlockPool.Lease lease() {
      return lease;
    }

    /** The sequence, which is its owner's from now on, and the lease with it. */
    Sequence occupy() {
      Sequence sequence = allocation.commit();
      end();
      ended.accept(this);
      return sequence;
    }

    /** False if it was over before. */
    private synchronized boolean end() {
      boolean first = !over;
      over = true;
      return first;
    }

    @Override
    public void drop() {
      if (!end()) {
        return;
      }
      try {
        allocation.close();
      } catch (RuntimeException e) {
        LOG.warn("Memory for a cache that nobody wants was not given back", e);
      } finally {
        release();
        ended.accept(this);
      }
    }

    private synchronized void release() {
      lease.close();
    }
  }
}
