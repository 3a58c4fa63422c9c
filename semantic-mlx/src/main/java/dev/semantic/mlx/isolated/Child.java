package dev.semantic.mlx.isolated;

import dev.semantic.mlx.isolated.Wire.Call;
import dev.semantic.mlx.isolated.Wire.Received;
import dev.semantic.mlx.isolated.Wire.Reply;
import dev.semantic.model.ModelException;
import dev.semantic.spi.LoadProgress;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A process that holds one model, and the calls that wait for its answers. When it dies, each of
 * them and all later ones fail at once with how it ended. Any thread.
 */
final class Child implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Child.class);
  private static final Duration TO_DIE = Duration.ofSeconds(5);
  private static final long LOOK_MILLIS = 20;

  /** Calls that come back soon, or the process hangs; the others take as long as they take. */
  static final Duration SOON = Duration.ofSeconds(60);

  private final String name;
  private final Process process;
  private final Wire wire;
  private final StderrTail tail;
  private final Consumer<Child> onDeath;
  private final AtomicLong calls = new AtomicLong();
  private final BlockingQueue<Frame> outbox = new LinkedBlockingQueue<>();
  private final Thread writer;
  private final Map<Long, Pending> pending = new ConcurrentHashMap<>();
  private volatile boolean closed;
  private volatile @Nullable ModelException death;

  private record Frame(Call call, List<ByteBuffer> parts) {}

  private record Pending(CompletableFuture<Received<Reply>> answer, LoadProgress progress) {}

  /**
   * Starts a process.
   *
   * @param onDeath told once it is dead, however it came to that
   */
  Child(Launch launch, String name, Consumer<Child> onDeath) {
    this.name = name;
    this.onDeath = onDeath;
    Launch.Connected connected = launch.start(name);
    this.process = connected.process();
    this.wire = connected.wire();
    this.tail = connected.tail();
    Thread.ofPlatform().daemon().name("semantic-isolated-in " + name).start(this::receive);
    writer = Thread.ofPlatform().daemon().name("semantic-isolated-out " + name).start(this::write);
    Watch.over(this);
  }

  long pid() {
    return process.pid();
  }

  boolean isAlive() {
    return death == null && !closed;
  }

  private void receive() {
    try {
      while (true) {
        Received<Reply> received = wire.receive(Reply.class);
        deliver(received);
      }
    } catch (IOException | RuntimeException e) {
      LOG.debug("Nothing more comes from {}", name, e);
    } finally {
      die();
    }
  }

  private void deliver(Received<Reply> received) {
    long id = received.header().id();
    if (received.header().answer() instanceof Answer.Progress(long done, long total)) {
      Pending waiting = pending.get(id);
      if (waiting != null) {
        waiting.progress().update(done, total);
      }
      return;
    }
    Pending waiting = pending.remove(id);
    if (waiting != null) {
      waiting.answer().complete(received);
    }
  }

  /** Notes how it ended, and tells everybody. */
  private void die() {
    process.destroyForcibly();
    String how;
    try {
      how =
          process.waitFor(TO_DIE.toMillis(), TimeUnit.MILLISECONDS)
              ? Ending.of(process.exitValue())
              : "it does not end";
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      how = "nobody waited to see how";
    }
    ModelException why =
        new ModelException(
            closed
                ? "The process of %s was ended".formatted(name)
                : "The process of %s died: %s. It printed last: %s"
                    .formatted(name, how, tail.text()));
    if (!closed) {
      LOG.error("The process {} of {} died: {}", pid(), name, how);
    }
    death = why;
    try {
      wire.close();
    } catch (IOException e) {
      LOG.debug("The socket of {} was not closed", name, e);
    }
    writer.interrupt();
    pending.forEach((id, waiting) -> waiting.answer().completeExceptionally(why));
    onDeath.accept(this);
  }

  /** Asks, and waits for the answer for a while. */
  <T extends Answer> T ask(Ask ask, Class<T> answer) {
    return type(exchange(ask, List.of(), LoadProgress.NONE, SOON).header().answer(), answer);
  }

  /** Asks what takes as long as it takes; the process must only show that it lives. */
  Received<Reply> askAtLength(Ask ask, List<ByteBuffer> parts, LoadProgress progress) {
    return exchange(ask, parts, progress, null);
  }

  /** The answer as what it is expected to be. */
  static <T extends Answer> T type(Answer answer, Class<T> expected) {
    if (expected.isInstance(answer)) {
      return expected.cast(answer);
    }
    throw new ModelException("Not an answer to that question: " + answer);
  }

  private Received<Reply> exchange(
      Ask ask, List<ByteBuffer> parts, LoadProgress progress, @Nullable Duration atMost) {
    long id = calls.incrementAndGet();
    CompletableFuture<Received<Reply>> answer = new CompletableFuture<>();
    pending.put(id, new Pending(answer, progress));
    try {
      requireAlive();
      send(new Call(id, ask), parts);
      Received<Reply> received = await(id, answer, progress, atMost);
      if (received.header().answer() instanceof Answer.Failed failed) {
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
      throw new ModelException(String.valueOf(dead.getMessage()), dead);
    }
    if (closed) {
      throw new IllegalStateException("The process of " + name + " was ended");
    }
  }

  private void send(Call call, List<ByteBuffer> parts) {
    outbox.add(new Frame(call, parts));
  }

  /** On a thread that nobody interrupts: an interrupt in the middle would close the socket. */
  private void write() {
    try {
      while (true) {
        Frame frame = outbox.take();
        wire.send(frame.call(), frame.parts());
      }
    } catch (IOException | RuntimeException | InterruptedException e) {
      LOG.debug("{} cannot be told anything more", name, e);
    }
  }

  private Received<Reply> await(
      long id,
      CompletableFuture<Received<Reply>> answer,
      LoadProgress progress,
      @Nullable Duration atMost) {
    long end = atMost == null ? Long.MAX_VALUE : System.nanoTime() + atMost.toNanos();
    boolean interrupted = false;
    boolean cancelled = false;
    try {
      while (true) {
        try {
          return answer.get(LOOK_MILLIS, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
          interrupted = true; // the child is in the middle of it, and its answer is due
        } catch (TimeoutException e) {
          if (!cancelled && progress.isCancelled()) {
            cancelled = true;
            send(new Call(0, new Ask.Cancel(id)), List.of());
          }
          if (atMost != null && System.nanoTime() > end) {
            kill("it has not answered for " + atMost);
          }
        } catch (ExecutionException e) {
          throw new ModelException(
              String.valueOf(Objects.requireNonNull(e.getCause()).getMessage()), e);
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private static RuntimeException thrown(Answer.Failed failed) {
    return switch (failed.kind()) {
      case MODEL -> new ModelException(failed.message());
      case ARGUMENT -> new IllegalArgumentException(failed.message());
      case STATE -> new IllegalStateException(failed.message());
      case CANCELLED -> new CancellationException(failed.message());
    };
  }

  /** Ends a process that hangs; whoever waits for it is told as for any other death. */
  void kill(String why) {
    LOG.error("Ending the process {} of {}: {}", pid(), name, why);
    process.destroyForcibly();
  }

  /** Ends the process; returns when the kernel has its memory back. */
  @Override
  public void close() {
    closed = true;
    process.destroyForcibly();
    boolean interrupted = false;
    long end = System.nanoTime() + TO_DIE.toNanos();
    while (process.isAlive() && System.nanoTime() < end) {
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
      throw new ModelException("The process %d of %s does not end".formatted(pid(), name));
    }
  }

  @Override
  public String toString() {
    return name + " in process " + pid();
  }
}
