package dev.semantic.mlx.isolated;

import dev.semantic.io.OwnPath;
import dev.semantic.memory.ByteSize;
import dev.semantic.memory.MemoryBudget;
import dev.semantic.mlx.models.UserCache;
import dev.semantic.model.ModelException;
import java.io.File;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.UserPrincipal;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import jdk.net.ExtendedSocketOptions;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How a child process is started.
 *
 * @param heap of the child's JVM; weights and caches are not in it
 * @param startTimeout until it has connected
 * @param patience with a process that does not answer
 * @param budget by which the child chooses the form that it computes in
 * @param javaOptions further options of the child's JVM
 * @param classPath where it finds its classes; empty for finding out
 * @param mainClass what it runs
 */
record WorkerOptions(
    Path java,
    ByteSize heap,
    Duration startTimeout,
    Duration patience,
    MemoryBudget budget,
    List<String> javaOptions,
    List<Path> classPath,
    Class<?> mainClass) {
  private static final Logger LOG = LoggerFactory.getLogger(WorkerOptions.class);
  private static final int POLL_MILLIS = 2;

  /** What fits in a socket's address on every Unix, with some room. */
  private static final int LONGEST_ADDRESS = 90;

  /**
   * Ctrl-C and the end of a session reach the whole terminal; the parent parks its agents here
   * before it lets go. A JVM leaves signals alone that it finds ignored.
   */
  private static final List<String> DEAF =
      List.of("/bin/sh", "-c", "trap '' HUP INT TERM; exec \"$0\" \"$@\"");

  /** A process that has connected. */
  record Connected(Process process, FrameCodec codec, StderrTail tail) {}

  /**
   * Starts one and waits until it has connected.
   *
   * @throws ModelException if it does not; with the reason, as far as it told one
   */
  Connected start(String name) {
    Path directory = null;
    Process process = null;
    boolean connected = false;
    try {
      directory = directory();
      Path socket = directory.resolve("s");
      try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
        server.bind(UnixDomainSocketAddress.of(socket));
        server.configureBlocking(false);
        ProcessBuilder builder =
            new ProcessBuilder(command(socket))
                .redirectErrorStream(true)
                .redirectInput(ProcessBuilder.Redirect.from(devNull()));
        WorkerEnvironment.keepNeeded(builder.environment());
        process = builder.start();
        StderrTail tail = new StderrTail(process, name);
        SocketChannel channel = accept(server, process, tail, name);
        channel.configureBlocking(true);
        connected = true;
        return new Connected(process, new FrameCodec(channel), tail);
      }
    } catch (IOException e) {
      throw new ModelException(
          ModelException.Kind.FAILED,
          "The process for %s cannot be started: %s".formatted(name, e),
          e);
    } finally {
      if (!connected && process != null) {
        process.destroyForcibly();
      }
      delete(directory);
    }
  }

  /** For its owner only. */
  private static Path directory() throws IOException {
    Path directory = directory(Path.of(System.getProperty("java.io.tmpdir")));
    if (directory.toString().length() <= LONGEST_ADDRESS) {
      return directory;
    }
    Files.delete(directory);
    return directory(Path.of("/tmp"));
  }

  /** Not below what is another user's, who could put a socket of their own in its place. */
  static Path directory(Path base) throws IOException {
    OwnPath.claim(base);
    return Files.createTempDirectory(base, "semantic-");
  }

  private static File devNull() {
    return new File("/dev/null"); // a Unix is needed for the sockets anyway
  }

  /**
   * The next connection, of this user's. Nobody else comes into the socket's directory; that the
   * kernel says so, too, does not depend on who changed its mode.
   *
   * @return null if there is none
   */
  static @Nullable SocketChannel own(ServerSocketChannel server) throws IOException {
    SocketChannel channel = server.accept();
    while (channel != null) {
      UserPrincipal peer = peer(channel);
      if (OwnPath.isOurs(peer)) {
        return channel;
      }
      LOG.warn("Another user, {}, came to the socket of an isolated process", peer.getName());
      channel.close();
      channel = server.accept();
    }
    return null;
  }

  /** Whose process is at the other end, as the kernel says. */
  static UserPrincipal peer(SocketChannel channel) throws IOException {
    return channel.getOption(ExtendedSocketOptions.SO_PEERCRED).user();
  }

  private SocketChannel accept(
      ServerSocketChannel server, Process process, StderrTail tail, String name)
      throws IOException {
    long end = System.nanoTime() + startTimeout.toNanos();
    while (true) {
      SocketChannel channel = own(server);
      if (channel != null) {
        return channel;
      }
      if (!process.isAlive()) {
        throw new ModelException(
            ModelException.Kind.FAILED,
            "The process for %s ended before it connected (%s): %s"
                .formatted(name, ExitStatus.of(process.exitValue(), tail), tail.lastWords()));
      }
      if (System.nanoTime() > end) {
        throw new ModelException(
            ModelException.Kind.FAILED,
            "The process for %s has not connected within %s: %s"
                .formatted(name, startTimeout, tail.text()));
      }
      try {
        TimeUnit.MILLISECONDS.sleep(POLL_MILLIS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new ModelException(
            ModelException.Kind.FAILED,
            "Interrupted while the process for " + name + " was starting",
            e);
      }
    }
  }

  /** The same classes, natives and settings as this JVM's. */
  private List<String> command(Path socket) throws IOException {
    List<String> command = new ArrayList<>(DEAF);
    command.add(java.toString());
    command.add("-XX:+UseSerialGC");
    command.add("-Xmx" + Math.max(1, heap.bytes() >> 20) + "m");
    command.add("-XX:+ExitOnOutOfMemoryError");
    command.add("-XX:-CreateCoredumpOnCrash"); // of gigabytes of weights
    WorkerEnvironment.properties().forEach(command::add);
    command.addAll(javaOptions);
    command.addAll(classes());
    command.add(socket.toString());
    command.add(Long.toString(ProcessHandle.current().pid()));
    command.add(Long.toString(budget.total().bytes()));
    return command;
  }

  private List<String> classes() throws IOException {
    String modules = System.getProperty("jdk.module.path");
    Module module = RuntimeServer.class.getModule();
    boolean asHere = classPath.isEmpty() && WorkerClassPath.isTheHosts();
    String name = mainClass.getName();
    if (asHere && modules != null && module.isNamed()) {
      return List.of(
          "-classpath",
          System.getProperty("java.class.path", ""),
          "--module-path",
          modules,
          "--enable-native-access=" + module.getName() + ",ai.djl.tokenizers",
          "--module",
          module.getName() + "/" + name);
    }
    return List.of(
        "-classpath",
        asHere ? System.getProperty("java.class.path", "") : WorkerClassPath.text(paths()),
        "--enable-native-access=ALL-UNNAMED",
        name);
  }

  private List<Path> paths() throws IOException {
    return classPath.isEmpty()
        ? new WorkerClassPath(UserCache.ofUser()).find(mainClass)
        : classPath;
  }

  /** Takes the socket's directory away; both sides do, for one of them may be killed. */
  static void delete(@Nullable Path directory) {
    if (directory != null) {
      try {
        Files.deleteIfExists(directory.resolve("s"));
        Files.deleteIfExists(directory);
      } catch (IOException e) {
        directory.toFile().deleteOnExit();
      }
    }
  }
}
