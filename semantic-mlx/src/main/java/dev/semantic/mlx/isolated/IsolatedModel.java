package dev.semantic.mlx.isolated;

import dev.semantic.kv.KvSnapshot;
import dev.semantic.mlx.isolated.FrameCodec.Received;
import dev.semantic.mlx.isolated.FrameCodec.Reply;
import dev.semantic.model.ModelException;
import dev.semantic.model.ModelSpec;
import dev.semantic.spi.LoadProgress;
import dev.semantic.spi.LoadedModel;
import dev.semantic.spi.Sequence;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;

/**
 * A model in another process. If that dies, what was under way fails; whoever opens a sequence next
 * has the model loaded again, in another process.
 */
final class IsolatedModel implements LoadedModel {
  private final IsolatedPrepared prepared;
  private final ModelSpec spec;
  private WorkerProcess worker;
  private volatile long bytes;
  private volatile boolean closed;

  IsolatedModel(IsolatedPrepared prepared, IsolatedPrepared.Loaded loaded) {
    this.prepared = prepared;
    this.spec = prepared.spec();
    this.worker = loaded.worker();
    this.bytes = loaded.bytes();
  }

  /**
   * The process that has the weights, a new one if the last one died.
   *
   * @throws IllegalStateException if it was closed, or ended by a restart of the runtime
   */
  synchronized WorkerProcess living() {
    requireOpen();
    if (worker.wasEnded()) {
      throw new IllegalStateException(spec.id() + " was unloaded: its runtime was started over");
    }
    if (!worker.isAlive()) {
      IsolatedPrepared.Loaded again = prepared.loadSomewhere(new UntilClosed());
      worker = again.worker();
      bytes = again.bytes();
    }
    return worker;
  }

  void requireOpen() {
    if (closed) {
      throw new IllegalStateException(spec.id() + " has been unloaded");
    }
  }

  /** Of a load that nobody asked for: one that unloads need not wait for it. */
  private final class UntilClosed implements LoadProgress {
    @Override
    public void update(long doneBytes, long totalBytes) {}

    @Override
    public boolean isCancelled() {
      return closed;
    }
  }

  @Override
  public ModelSpec spec() {
    return spec;
  }

  @Override
  public long bytes() {
    return bytes;
  }

  /** Its process has no other model; once that has ended, nothing is left. */
  @Override
  public OptionalLong activeBytes() {
    WorkerProcess where;
    synchronized (this) {
      where = worker;
    }
    return OptionalLong.of(WorkersMemory.activeBytes(where));
  }

  @Override
  public Sequence open() {
    WorkerProcess here = living();
    return new IsolatedSequence(this, here, open(here), new int[0]);
  }

  static long open(WorkerProcess where) {
    return where.ask(new Request.Open(), Response.Count.class).value();
  }

  @Override
  public Sequence restore(KvSnapshot snapshot) {
    WorkerProcess here = living();
    Received<Reply> answer =
        here.ask(Snapshots.ask(snapshot), Snapshots.parts(snapshot), LoadProgress.NONE);
    long number = WorkerProcess.type(answer, Response.Count.class).value();
    return new IsolatedSequence(this, here, number, snapshot.tokens());
  }

  @Override
  public List<float[]> forward(List<Chunk> batch) {
    if (batch.isEmpty()) {
      return List.of();
    }
    List<Request.Part> parts = new ArrayList<>(batch.size());
    Set<WorkerProcess> where = new HashSet<>();
    for (Chunk chunk : batch) {
      IsolatedSequence sequence = own(chunk);
      where.add(sequence.living());
      parts.add(new Request.Part(sequence.number(), chunk.tokens(), chunk.logits()));
    }
    if (where.size() > 1) { // each has numbers of its own
      throw new ModelException(
          ModelException.Kind.FAILED,
          "The process of " + spec.id() + " died; some sequences are gone");
    }
    Received<Reply> answer =
        where.iterator().next().ask(new Request.Forward(parts), List.of(), LoadProgress.NONE);
    for (Chunk chunk : batch) {
      own(chunk).append(chunk.tokens());
    }
    return rows(answer, batch.size());
  }

  /** As many rows as chunks, and numbers as were said. */
  static List<float[]> rows(Received<Reply> answer, int chunks) {
    int[] counts = WorkerProcess.type(answer, Response.Logits.class).counts();
    List<ByteBuffer> parts = answer.parts();
    List<float[]> rows = new ArrayList<>(chunks);
    for (int i = 0; i < counts.length && i < parts.size(); i++) {
      float[] row = new float[parts.get(i).remaining() / Float.BYTES];
      if (row.length == counts[i]) {
        parts.get(i).asFloatBuffer().get(row);
        rows.add(row);
      }
    }
    if (rows.size() != chunks) {
      throw new ModelException(
          ModelException.Kind.FAILED,
          "The process sent %d rows of logits for %d chunks".formatted(rows.size(), chunks));
    }
    return rows;
  }

  private IsolatedSequence own(Chunk chunk) {
    if (chunk.sequence() instanceof IsolatedSequence sequence && sequence.model() == this) {
      return sequence;
    }
    throw new IllegalArgumentException(
        "%s is not a sequence of %s".formatted(chunk.sequence(), spec.id()));
  }

  /** Ends the process: all of its memory is the kernel's again. */
  @Override
  public void close() {
    closed = true;
    synchronized (this) {
      worker.close();
    }
  }
}
