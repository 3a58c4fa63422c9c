package dev.semantic.mlx;

import dev.semantic.kv.KvSnapshotHeader;
import dev.semantic.spi.KvAllocation;
import dev.semantic.spi.Sequence;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A sequence whose buffers are there, and whose keys and values are read straight into them: from a
 * file to where attention finds them there is one copy, and the owner thread makes none.
 */
final class MlxKvAllocation implements KvAllocation {
  private final MlxLoadedModel model;
  private @Nullable MlxSequence sequence; // null before places, and when it is over
  private @Nullable KvSnapshotHeader header;
  private boolean over; // on the owner thread, as all of this

  MlxKvAllocation(MlxLoadedModel model) {
    this.model = model;
  }

  @Override
  public Optional<List<KvBuffers>> buffers(KvSnapshotHeader wanted) {
    model.requireOwn(wanted.tag(), wanted.layout(), wanted.precision());
    if (!wanted.seams().isEmpty()) {
      return Optional.empty(); // its parts lie apart, so that attention sums as it did
    }
    return Optional.of(model.call(() -> placesHere(wanted)));
  }

  private List<KvBuffers> placesHere(KvSnapshotHeader wanted) {
    if (header != null || over) {
      throw new IllegalStateException("A vacancy is filled only once, and not after it is closed");
    }
    MlxSequence opened = model.openHere();
    try {
      List<KvBuffers> places = opened.vacate(wanted);
      sequence = opened;
      header = wanted;
      return places;
    } catch (RuntimeException | Error e) {
      model.forgetHere(opened);
      throw e;
    }
  }

  @Override
  public Sequence commit() {
    return model.call(
        () -> {
          MlxSequence filled = sequence;
          KvSnapshotHeader held = header;
          if (filled == null || held == null) {
            throw new IllegalStateException("Nothing was read into this vacancy");
          }
          sequence = null;
          filled.occupy(held);
          return filled;
        });
  }

  @Override
  public void close() {
    model.run(
        () -> {
          over = true;
          if (sequence != null) {
            model.forgetHere(sequence);
            sequence = null;
          }
        });
  }
}
