package dev.semantic.mlx.isolated;

import dev.semantic.mlx.isolated.FrameCodec.Call;
import dev.semantic.mlx.isolated.FrameCodec.Frame;
import dev.semantic.mlx.isolated.FrameCodec.Received;
import dev.semantic.mlx.isolated.FrameCodec.Reply;
import dev.semantic.model.ModelException;
import dev.semantic.spi.LoadProgress;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A process that holds one model, and the calls that wait for its answers. When it dies, each of
 * them and all later ones fail at once with how it ended. Any thread.
 */
final class WorkerProcess implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(WorkerProcess.class);

  /** The kernel takes a while to free many gigabytes. */
  private static final Duration TO_DIE = Duration.ofSeconds(30);

  /** From the end of its socket to the end of a process that ends by itself. */
  private static final Duration GRACE = Duration.ofSeconds(1);

  private final String name;
  private final Duration patience;
  private final Process process;
  private final FrameCodec codec;
  private final StderrTail tail;
  private final Consumer<WorkerProcess> onDeath;
  private final AtomicLong calls = new AtomicLong();
  private final BlockingQueue<Frame> outbox = new LinkedBlockingQueue<>();
  private final Thread writer;
  private final Map<Long, PendingCall> pending = new ConcurrentHashMap<>();
  private final AtomicReference<@Nullable String> killedBecause = new AtomicReference<>();
  private volatile boolean closed;
  private volatile @Nullable ModelException death;

  /**
   * Starts a process.
   *
   * @param onDeath told once it is dead, however it came to that
   */
  WorkerProcess(WorkerOptions options, String name, Consumer<WorkerProcess> onDeath) {
    this.name = name;
    this.onDeath = onDeath;
    this.patience = options.patience();
    WorkerOptions.Connected connected = options.start(name);
    this.process = connected.process();
    this.codec = connected.codec();
    this.tail = connected.tail();
    Thread.ofPlatform().daemon().name("semantic-isolated-in " + name).start(this::receive);
    writer = Thread.ofPlatform().daemon().name("semantic-isolated-out " + name).start(this::write);
    Heartbeat.over(this, patience);
  }

  long pid() {
    return process.pid();
  }

  boolean isAlive() {
    return death == null && !closed;
  }

  /** Whether it was ended on purpose, rather than having died. */
  boolean wasEnded() {
    return closed;
  }

  private void receive() {
    try {
      while (true) {
        deliver(codec.receive(Reply.class));
      }
    } catch (IOException e) {
      LOG.debug("Nothing more comes from {}", name, e);
    } catch (Throwable t) { // whatever it is, nobody may wait for ever
      kill("its answers cannot be read: " + t);
    } finally {
      die();
    }
  }

  private void deliver(Received<Reply> received) {
    long id = received.header().id();
    if (received.header().response() instanceof Response.Progress progress) {
      PendingCall waiting = pending.get(id);
      if (waiting != null) {
        waiting.tell(progress);
      }
      return;
    }
    PendingCall waiting = pending.remove(id);
    if (waiting != null) {
      waiting.answer(received);
    }
  }

  /** Notes how it ended, and tells everybody. */
  private void die() {
    String how = ending();
    if (!closed) {
      LOG.error("The process {} of {} died: {}", pid(), name, how);
    }
    ModelException why =
        new ModelException(
            ModelException.Kind.FAILED,
            closed
                ? "The process of %s was ended".formatted(name)
                : "The process of %s died: %s. It printed last: %s"
                    .formatted(name, how, tail.lastWords()));
    death = why;
    hangUp();
    writer.interrupt();
    pending.forEach((id, waiting) -> waiting.fail(why));
    onDeath.accept(this);
  }

  /** Waits for it to end, for a moment by itself: whoever kills hides how it was. */
  private String ending() {
    try {
      if (!process.waitFor(GRACE.toMillis(), TimeUnit.MILLISECONDS)) {
        kill("it hung up and did not end");
      }
      boolean ended = process.waitFor(TO_DIE.toMillis(), TimeUnit.MILLISECONDS);
      String because = killedBecause.get();
      if (because != null) {
        return "it was ended, because " + because;
      }
      return ended ? ExitStatus.of(process.exitValue(), tail) : "it does not end";
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return "nobody waited to see how";
    }
  }

  private void hangUp() {
    try {
      codec.close();
    } catch (IOException e) {
      LOG.debug("The socket of {} was not closed", name, e);
    }
  }

  /** Asks what is answered soon, or the process hangs. */
  <T extends Response> T askBriefly(Request request, Class<T> answer) {
    return type(exchange(request, List.of(), LoadProgress.NONE, true), answer);
  }

  /** Asks what takes as long as it takes; the process must only show that it lives. */
  <T extends Response> T ask(Request request, Class<T> answer) {
    return type(exchange(request, List.of(), LoadProgress.NONE, false), answer);
  }

  /** The same with bulk data in both directions, and progress. */
  Received<Reply> ask(Request request, List<ByteBuffer> parts, LoadProgress progress) {
    return exchange(request, parts, progress, false);
  }

  /** The answer as what it is expected to be. */
  static <T extends Response> T type(Received<Reply> received, Class<T> expected) {
    Response response = received.header().response();
    if (expected.isInstance(response)) {
      return expected.cast(response);
    }
    throw new ModelException(
        ModelException.Kind.FAILED, "Not an answer to that question: " + response);
  }

  private Received<Reply> exchange(
      Request request, List<ByteBuffer> parts, LoadProgress progress, boolean bounded) {
    long id = calls.incrementAndGet();
    Frame frame = Frame.of(new Call(id, request), parts);
    PendingCall waiting = new PendingCall(progress);
    pending.put(id, waiting);
    try {
      requireAlive();
      outbox.add(frame);
      Received<Reply> received = waiting.await(patience, bounded, new Remedies(id));
      if (received.header().response() instanceof Response.Failed failed) {
        throw thrown(failed);
      }
      return received;
    } finally {
      pending.remove(id);
    }
  }

  private void requireAlive() {
    ModelException dead = death;
    if (dead != null) {
      throw new ModelException(ModelException.Kind.FAILED, String.valueOf(dead.getMessage()), dead);
    }
    if (closed) {
      throw new IllegalStateException("The process of " + name + " was ended");
    }
  }

  /** On a thread that nobody interrupts: an interrupt in the middle would close the socket. */
  private void write() {
    try {
      while (true) {
        codec.send(outbox.take());
      }
    } catch (IOException | InterruptedException e) {
      LOG.debug("{} cannot be told anything more", name, e); // it is about to be found dead
    } catch (Throwable t) {
      kill("it cannot be told anything: " + t);
    }
  }

  private RuntimeException thrown(Response.Failed failed) {
    return switch (failed.kind()) {
      case MODEL -> new ModelException(failed.modelKind(), failed.message());
      case ARGUMENT -> new IllegalArgumentException(failed.message());
      case STATE -> new IllegalStateException(failed.message());
      case CANCELLED -> new CancellationException(failed.message());
      case ERROR ->
          new ModelException(
              ModelException.Kind.FAILED,
              "The process of %s failed: %s".formatted(name, failed.message()));
    };
  }

  private final class Remedies implements PendingCall.Remedy {
    private final long call;

    private Remedies(long call) {
      this.call = call;
    }

    @Override
    public void cancel() {
      outbox.add(Frame.of(new Call(0, new Request.Cancel(call)), List.of()));
    }

    @Override
    public void giveUp(String why) {
      kill(why);
    }
  }

  /** Ends a process that is of no use; whoever waits for it is told as for any other death. */
  private void kill(String why) {
    if (!closed && killedBecause.compareAndSet(null, why)) {
      LOG.error("Ending the process {} of {}: {}", pid(), name, why);
    }
    process.destroyForcibly();
    hangUp();
  }

  /** Ends the process; returns when the kernel has its memory back. */
  @Override
  public void close() {
    closed = true;
    process.destroyForcibly();
    boolean interrupted = false;
    long end = System.nanoTime() + TO_DIE.toNanos();
    while (process.isAlive() && System.nanoTime() - end < 0) {
      try {
        process.waitFor(end - System.nanoTime(), TimeUnit.NANOSECONDS);
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    if (process.isAlive()) {
      throw new ModelException(
          ModelException.Kind.FAILED, "The process %d of %s does not end".formatted(pid(), name));
    }
  }

  @Override
  public String toString() {
    return name + " in process " + pid();
  }
}
