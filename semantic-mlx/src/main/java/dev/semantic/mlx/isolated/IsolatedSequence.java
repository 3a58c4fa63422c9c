package dev.semantic.mlx.isolated;

import dev.semantic.kv.KvSnapshot;
import dev.semantic.mlx.isolated.FrameCodec.Received;
import dev.semantic.mlx.isolated.FrameCodec.Reply;
import dev.semantic.model.ModelException;
import dev.semantic.spi.LoadProgress;
import dev.semantic.spi.Sequence;
import java.util.Arrays;
import java.util.List;

/**
 * A sequence in another process. Its tokens are known here, too. When its process has died it is an
 * empty sequence: nothing of it is left, and everything is computed again.
 */
final class IsolatedSequence implements Sequence {
  private final IsolatedModel model;
  private WorkerProcess worker;
  private long number;
  private int[] tokens;
  private int length;
  private boolean closed;

  IsolatedSequence(IsolatedModel model, WorkerProcess worker, long number, int[] tokens) {
    this.model = model;
    this.worker = worker;
    this.number = number;
    this.tokens = tokens.clone();
    this.length = tokens.length;
  }

  IsolatedModel model() {
    return model;
  }

  long number() {
    return number;
  }

  /**
   * Its process; a sequence of which its user knows that it holds nothing moves to the model's new
   * one.
   *
   * @throws ModelException if it was to hold something, and its process died
   */
  WorkerProcess living() {
    requireOpen();
    if (!worker.isAlive()) {
      if (length > 0) {
        length = 0;
        throw new ModelException(
            ModelException.Kind.FAILED,
            "The keys and values of " + this + " are gone: that process died");
      }
      worker = model.living();
      number = IsolatedModel.open(worker);
    }
    return worker;
  }

  private void forgetIfDead() {
    if (!worker.isAlive()) {
      length = 0;
    }
  }

  private void requireOpen() {
    model.requireOpen();
    if (closed) {
      throw new IllegalStateException("A sequence of " + model.spec().id() + " was closed");
    }
  }

  void append(int[] more) {
    if (length + more.length > tokens.length) {
      tokens = Arrays.copyOf(tokens, Math.max(tokens.length * 2, length + more.length));
    }
    System.arraycopy(more, 0, tokens, length, more.length);
    length += more.length;
  }

  @Override
  public int[] tokens() {
    forgetIfDead();
    return Arrays.copyOf(tokens, length);
  }

  @Override
  public int length() {
    forgetIfDead();
    return length;
  }

  @Override
  public boolean trim(int newLength) {
    requireOpen();
    forgetIfDead();
    if (newLength < 0 || newLength > length) {
      throw new IllegalArgumentException(
          "A sequence of %d tokens cannot be trimmed to %d".formatted(length, newLength));
    }
    if (!worker.isAlive()) {
      return true; // nothing of nothing
    }
    boolean exact = worker.ask(new Request.Trim(number, newLength), Response.Flag.class).value();
    if (exact) {
      length = newLength;
    }
    return exact;
  }

  @Override
  public long bytes() {
    requireOpen();
    return worker.isAlive()
        ? worker.ask(new Request.Size(number), Response.Count.class).value()
        : 0;
  }

  @Override
  public KvSnapshot snapshot() {
    Received<Reply> answer =
        living().ask(new Request.Snapshot(number), List.of(), LoadProgress.NONE);
    return Snapshots.of(WorkerProcess.type(answer, Response.State.class), answer.parts());
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      try {
        if (worker.isAlive()) {
          worker.ask(new Request.Close(number), Response.Done.class);
        }
      } catch (RuntimeException e) {
        if (worker.isAlive()) {
          throw e;
        } // else it went with its process
      }
    }
  }

  @Override
  public String toString() {
    return "a sequence of " + length + " tokens in " + worker;
  }
}
