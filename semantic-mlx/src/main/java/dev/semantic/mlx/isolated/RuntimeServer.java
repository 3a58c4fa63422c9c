package dev.semantic.mlx.isolated;

import dev.semantic.mlx.isolated.Wire.Call;
import dev.semantic.mlx.isolated.Wire.Frame;
import dev.semantic.mlx.isolated.Wire.Received;
import dev.semantic.mlx.isolated.Wire.Reply;
import dev.semantic.model.ModelException;
import dev.semantic.spi.ModelRuntime;
import java.io.EOFException;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadFactory;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The child's side: one model of any runtime, served to the parent until the parent is gone; then
 * this process ends at once, whatever it is doing. What works on the model runs on one thread, all
 * else beside it, so that a question about memory does not wait for a load.
 */
final class RuntimeServer {
  private static final Logger LOG = LoggerFactory.getLogger(RuntimeServer.class);

  /** As sysexits.h has it: an error of our own. */
  private static final int SOFTWARE = 70;

  private final Wire wire;
  private final HostedModel model;
  private final Interruptible rendering = new Interruptible();
  private final ExecutorService inTurn = Executors.newSingleThreadExecutor(daemon("model"));
  private final ExecutorService beside = Executors.newCachedThreadPool(daemon("beside"));

  private RuntimeServer(Wire wire, Supplier<ModelRuntime> runtime) {
    this.wire = wire;
    this.model = new HostedModel(runtime);
  }

  private static ThreadFactory daemon(String name) {
    return Thread.ofPlatform().daemon().name("semantic-" + name).factory();
  }

  /** Serves; does not return. */
  static void serve(String[] args, Supplier<ModelRuntime> runtime) {
    int exit = 0;
    try {
      SocketChannel channel = connect(Path.of(args[0]), Long.parseLong(args[1]));
      new RuntimeServer(new Wire(channel), runtime).run();
    } catch (EOFException e) {
      LOG.debug("The parent is gone", e);
    } catch (IOException e) {
      LOG.warn("This process cannot reach its parent", e);
    } catch (Throwable t) {
      LOG.error("This process cannot go on", t);
      exit = SOFTWARE;
    }
    Runtime.getRuntime().halt(exit); // not exit: the model's thread may be in native code for long
  }

  /** Takes the socket's file away, for a parent that is killed cannot. */
  private static SocketChannel connect(Path socket, long parent) throws IOException {
    try {
      endWith(ProcessHandle.of(parent), socket.getParent());
      return SocketChannel.open(UnixDomainSocketAddress.of(socket));
    } finally {
      Launch.delete(socket.getParent());
    }
  }

  /** A second string to the end of the socket. */
  private static void endWith(Optional<ProcessHandle> parent, @Nullable Path directory) {
    parent.ifPresent(handle -> haltWith(handle, directory));
  }

  @SuppressWarnings("FutureReturnValueIgnored") // nobody is left to look at it
  private static void haltWith(ProcessHandle parent, @Nullable Path directory) {
    parent
        .onExit()
        .thenRun(
            () -> {
              Launch.delete(directory); // should it have come before the connection
              Runtime.getRuntime().halt(0);
            });
  }

  private void run() throws IOException {
    while (true) {
      Received<Call> received = wire.receive(Call.class);
      Call call = received.header();
      if (call.ask() instanceof Ask.Cancel(long other)) {
        if (!rendering.interrupt(other)) {
          model.cancel(other);
        }
      } else {
        ExecutorService where = HostedModel.worksOnTheModel(call.ask()) ? inTurn : beside;
        where.execute(() -> answer(call, received.parts()));
      }
    }
  }

  private void answer(Call call, List<ByteBuffer> parts) {
    HostedModel.Outcome outcome;
    boolean renders = HostedModel.renders(call.ask());
    try {
      if (renders) {
        rendering.begin(call.id());
      }
      outcome =
          model.handle(
              call.id(),
              call.ask(),
              parts,
              (done, total) -> send(call.id(), new Answer.Progress(done, total), List.of()));
    } catch (Throwable t) { // for the parent to judge
      LOG.debug("{} failed", call.ask().getClass().getSimpleName(), t);
      outcome = new HostedModel.Outcome(failed(t), List.of());
    } finally {
      if (renders) {
        rendering.end(call.id());
      }
    }
    send(call.id(), outcome.answer(), outcome.parts());
  }

  /** Calls that end when their thread is interrupted, and nothing else is by then on it. */
  private static final class Interruptible {
    private final Map<Long, Thread> threads = new HashMap<>();

    synchronized void begin(long call) {
      threads.put(call, Thread.currentThread());
    }

    synchronized boolean interrupt(long call) {
      Thread thread = threads.get(call);
      if (thread != null) {
        thread.interrupt();
      }
      return thread != null;
    }

    synchronized void end(long call) {
      threads.remove(call);
      Thread.interrupted();
    }
  }

  private static Answer.Failed failed(Throwable thrown) {
    String message = String.valueOf(thrown.getMessage());
    return switch (thrown) {
      case ModelException e -> new Answer.Failed(Answer.Kind.MODEL, message, e.kind());
      case CancellationException e -> Answer.Failed.of(Answer.Kind.CANCELLED, message);
      case IllegalArgumentException e -> Answer.Failed.of(Answer.Kind.ARGUMENT, message);
      case IllegalStateException e -> Answer.Failed.of(Answer.Kind.STATE, message);
      default -> Answer.Failed.of(Answer.Kind.ERROR, thrown.toString());
    };
  }

  private void send(long id, Answer answer, List<ByteBuffer> parts) {
    try {
      wire.send(frame(id, answer, parts));
    } catch (IOException e) {
      LOG.debug("The parent is gone", e); // as the thread that reads is about to find
    }
  }

  private static Frame frame(long id, Answer answer, List<ByteBuffer> parts) {
    try {
      return Frame.of(new Reply(id, answer), parts);
    } catch (IllegalArgumentException e) { // somebody waits for an answer, whatever it is
      return Frame.of(new Reply(id, failed(e)), List.of());
    }
  }
}
