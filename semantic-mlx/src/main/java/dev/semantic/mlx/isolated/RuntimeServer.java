package dev.semantic.mlx.isolated;

import dev.semantic.io.OwnPath;
import dev.semantic.mlx.isolated.FrameCodec.Call;
import dev.semantic.mlx.isolated.FrameCodec.Frame;
import dev.semantic.mlx.isolated.FrameCodec.Received;
import dev.semantic.mlx.isolated.FrameCodec.Reply;
import dev.semantic.model.ModelException;
import dev.semantic.spi.ModelRuntime;
import java.io.EOFException;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.nio.file.attribute.UserPrincipal;
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
  static final int SOFTWARE = 70;

  private final FrameCodec codec;
  private final Worker model;
  private final Interruptible rendering = new Interruptible();
  private final ExecutorService inTurn = Executors.newSingleThreadExecutor(daemon("model"));
  private final ExecutorService beside = Executors.newCachedThreadPool(daemon("beside"));

  private RuntimeServer(FrameCodec codec, Supplier<ModelRuntime> runtime) {
    this.codec = codec;
    this.model = new Worker(runtime);
  }

  private static ThreadFactory daemon(String name) {
    return Thread.ofPlatform().daemon().name("semantic-" + name).factory();
  }

  /** Serves; does not return. */
  static void serve(String[] args, Supplier<ModelRuntime> runtime) {
    int exit = 0;
    try {
      SocketChannel channel = connect(Path.of(args[0]), Long.parseLong(args[1]));
      new RuntimeServer(new FrameCodec(channel), runtime).run();
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
    SocketChannel channel;
    try {
      endWith(ProcessHandle.of(parent), socket.getParent());
      channel = SocketChannel.open(UnixDomainSocketAddress.of(socket));
    } finally {
      WorkerOptions.delete(socket.getParent());
    }
    requireOwn(channel, socket);
    return channel;
  }

  /** Whoever is not this user has put a socket in the place of the parent's. */
  private static void requireOwn(SocketChannel channel, Path socket) throws IOException {
    UserPrincipal peer = WorkerOptions.peer(channel);
    if (!OwnPath.isOurs(peer)) {
      channel.close();
      throw new SecurityException(
          "another user, %s, listens at %s in the place of this process's parent"
              .formatted(peer.getName(), socket));
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
              WorkerOptions.delete(directory); // should it have come before the connection
              Runtime.getRuntime().halt(0);
            });
  }

  private void run() throws IOException {
    while (true) {
      Received<Call> received = codec.receive(Call.class);
      Call call = received.header();
      if (call.request() instanceof Request.Cancel(long other)) {
        if (!rendering.interrupt(other)) {
          model.cancel(other);
        }
      } else {
        ExecutorService where = Worker.worksOnTheModel(call.request()) ? inTurn : beside;
        where.execute(() -> answer(call, received.parts()));
      }
    }
  }

  private void answer(Call call, List<ByteBuffer> parts) {
    Worker.Outcome outcome;
    boolean renders = Worker.renders(call.request());
    try {
      if (renders) {
        rendering.begin(call.id());
      }
      outcome =
          model.handle(
              call.id(),
              call.request(),
              parts,
              (done, total) -> send(call.id(), new Response.Progress(done, total), List.of()));
    } catch (Throwable t) { // for the parent to judge
      LOG.debug("{} failed", call.request().getClass().getSimpleName(), t);
      outcome = new Worker.Outcome(failed(t), List.of());
    } finally {
      if (renders) {
        rendering.end(call.id());
      }
    }
    send(call.id(), outcome.response(), outcome.parts());
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

  private static Response.Failed failed(Throwable thrown) {
    String message = String.valueOf(thrown.getMessage());
    return switch (thrown) {
      case ModelException e -> new Response.Failed(Response.Kind.MODEL, message, e.kind());
      case CancellationException e -> Response.Failed.of(Response.Kind.CANCELLED, message);
      case IllegalArgumentException e -> Response.Failed.of(Response.Kind.ARGUMENT, message);
      case IllegalStateException e -> Response.Failed.of(Response.Kind.STATE, message);
      default -> Response.Failed.of(Response.Kind.ERROR, thrown.toString());
    };
  }

  private void send(long id, Response response, List<ByteBuffer> parts) {
    try {
      codec.send(frame(id, response, parts));
    } catch (IOException e) {
      LOG.debug("The parent is gone", e); // as the thread that reads is about to find
    }
  }

  private static Frame frame(long id, Response response, List<ByteBuffer> parts) {
    try {
      return Frame.of(new Reply(id, response), parts);
    } catch (IllegalArgumentException e) { // somebody waits for an answer, whatever it is
      return Frame.of(new Reply(id, failed(e)), List.of());
    }
  }
}
