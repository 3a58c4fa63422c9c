package dev.semantic.mlx.isolated;

import dev.semantic.memory.ByteSize;
import dev.semantic.model.ModelException;
import java.io.File;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * How a child process is started.
 *
 * @param heap of the child's JVM; weights and caches are not in it
 * @param startTimeout until it has connected
 * @param javaOptions further options of the child's JVM
 * @param mainClass what it runs
 */
record Launch(
    Path java, ByteSize heap, Duration startTimeout, List<String> javaOptions, String mainClass) {
  private static final int POLL_MILLIS = 2;

  /** A process that has connected. */
  record Connected(Process process, Wire wire, StderrTail tail) {}

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
      directory = Files.createTempDirectory("semantic-"); // for its owner only
      Path socket = directory.resolve("s");
      try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
        server.bind(UnixDomainSocketAddress.of(socket));
        server.configureBlocking(false);
        process =
            new ProcessBuilder(command(socket))
                .redirectErrorStream(true)
                .redirectInput(ProcessBuilder.Redirect.from(devNull()))
                .start();
        StderrTail tail = StderrTail.of(process, name);
        SocketChannel channel = accept(server, process, tail);
        channel.configureBlocking(true);
        connected = true;
        return new Connected(process, new Wire(channel), tail);
      }
    } catch (IOException e) {
      throw new ModelException("The process for %s cannot be started: %s".formatted(name, e), e);
    } finally {
      if (!connected && process != null) {
        process.destroyForcibly();
      }
      delete(directory);
    }
  }

  private static File devNull() {
    return new File("/dev/null"); // a Unix is needed for the sockets anyway
  }

  private SocketChannel accept(ServerSocketChannel server, Process process, StderrTail tail)
      throws IOException {
    long end = System.nanoTime() + startTimeout.toNanos();
    while (true) {
      SocketChannel channel = server.accept();
      if (channel != null) {
        return channel;
      }
      if (!process.isAlive()) {
        throw new ModelException(
            "The process for a model ended before it connected (%s): %s"
                .formatted(Ending.of(process.exitValue()), tail.text()));
      }
      if (System.nanoTime() > end) {
        throw new ModelException(
            "The process for a model has not connected within %s: %s"
                .formatted(startTimeout, tail.text()));
      }
      try {
        TimeUnit.MILLISECONDS.sleep(POLL_MILLIS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new ModelException("Interrupted while a process for a model was starting", e);
      }
    }
  }

  /** The same classes, natives and settings as this JVM's. */
  private List<String> command(Path socket) {
    List<String> command = new ArrayList<>();
    command.add(java.toString());
    command.add("-XX:+UseSerialGC");
    command.add("-Xmx" + Math.max(1, heap.bytes() >> 20) + "m");
    command.add("-XX:+ExitOnOutOfMemoryError");
    System.getProperties()
        .forEach(
            (key, value) -> {
              if (key.toString().startsWith("semantic.")) {
                command.add("-D" + key + "=" + value);
              }
            });
    command.addAll(javaOptions);
    String modules = System.getProperty("jdk.module.path");
    String module = RuntimeServer.class.getModule().getName();
    command.add("-classpath");
    command.add(System.getProperty("java.class.path", ""));
    if (modules != null && module != null) {
      command.add("--module-path");
      command.add(modules);
      command.add("--enable-native-access=" + module + ",ai.djl.tokenizers");
      command.add("--module");
      command.add(module + "/" + mainClass);
    } else {
      command.add("--enable-native-access=ALL-UNNAMED");
      command.add(mainClass);
    }
    command.add(socket.toString());
    command.add(Long.toString(ProcessHandle.current().pid()));
    return command;
  }

  private static void delete(@Nullable Path directory) {
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
