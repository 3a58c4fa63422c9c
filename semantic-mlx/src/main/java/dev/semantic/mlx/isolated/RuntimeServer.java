package dev.semantic.mlx.isolated;

import dev.semantic.mlx.isolated.Wire.Call;
import dev.semantic.mlx.isolated.Wire.Received;
import dev.semantic.mlx.isolated.Wire.Reply;
import dev.semantic.model.ModelException;
import dev.semantic.spi.ModelRuntime;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadFactory;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The child's side: one model of any runtime, served to the parent until the parent is gone; then
 * this process ends at once, whatever it is doing. What works on the model runs on one thread, all
 * else beside it, so that a question about memory does not wait for a load.
 */
final class RuntimeServer {
  private static final Logger LOG = LoggerFactory.getLogger(RuntimeServer.class);
  private static final CountDownLatch NEVER = new CountDownLatch(1);

  private final Wire wire;
  private final HostedModel model;
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
    try {
      endWith(ProcessHandle.of(Long.parseLong(args[1])));
      surviveInterrupts();
      Path socket = Path.of(args[0]);
      SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(socket));
      try (Wire wire = new Wire(channel)) {
        new RuntimeServer(wire, runtime).run();
      }
    } catch (Throwable t) { // the parent is gone, or never was there
      LOG.debug("This process has nobody to serve", t);
    }
    Runtime.getRuntime().halt(0); // not exit: the model's thread may be in native code for long
  }

  /** A second string to the end of the socket. */
  private static void endWith(Optional<ProcessHandle> parent) {
    parent.ifPresentOrElse(RuntimeServer::haltWith, () -> Runtime.getRuntime().halt(0));
  }

  @SuppressWarnings("FutureReturnValueIgnored") // nobody is left to look at it
  private static void haltWith(ProcessHandle parent) {
    parent.onExit().thenRun(() -> Runtime.getRuntime().halt(0));
  }

  /** Ctrl-C reaches the whole terminal; the parent parks its agents here before it lets go. */
  private static void surviveInterrupts() {
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(
                () -> {
                  try {
                    NEVER.await();
                  } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                  }
                }));
  }

  private void run() throws IOException {
    while (true) {
      Received<Call> received = wire.receive(Call.class);
      Call call = received.header();
      if (call.ask() instanceof Ask.Cancel(long other)) {
        model.cancel(other);
      } else {
        ExecutorService where = HostedModel.worksOnTheModel(call.ask()) ? inTurn : beside;
        where.execute(() -> answer(call, received.parts()));
      }
    }
  }

  private void answer(Call call, List<ByteBuffer> parts) {
    HostedModel.Outcome outcome;
    try {
      outcome =
          model.handle(
              call.id(),
              call.ask(),
              parts,
              (done, total) -> send(call.id(), new Answer.Progress(done, total), List.of()));
    } catch (Throwable t) { // for the parent to judge
      LOG.debug("{} failed", call.ask().getClass().getSimpleName(), t);
      outcome = new HostedModel.Outcome(failed(t), List.of());
    }
    send(call.id(), outcome.answer(), outcome.parts());
  }

  private static Answer.Failed failed(Throwable thrown) {
    String message = String.valueOf(thrown.getMessage());
    return switch (thrown) {
      case ModelException e -> new Answer.Failed(Answer.Kind.MODEL, message);
      case CancellationException e -> new Answer.Failed(Answer.Kind.CANCELLED, message);
      case IllegalArgumentException e -> new Answer.Failed(Answer.Kind.ARGUMENT, message);
      case IllegalStateException e -> new Answer.Failed(Answer.Kind.STATE, message);
      default -> new Answer.Failed(Answer.Kind.MODEL, thrown.toString());
    };
  }

  private void send(long id, Answer answer, List<ByteBuffer> parts) {
    try {
      wire.send(new Reply(id, answer), parts);
    } catch (IOException e) {
      LOG.debug("The parent is gone", e); // as the thread that reads is about to find
    }
  }
}
