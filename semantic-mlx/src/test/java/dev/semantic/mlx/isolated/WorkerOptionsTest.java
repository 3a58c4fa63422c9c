package dev.semantic.mlx.isolated;

import static dev.semantic.mlx.testing.Refusal.assertRefused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Nobody else comes to the socket of an isolated process. */
@EnabledOnOs({OS.LINUX, OS.MAC})
class WorkerOptionsTest {
  private static final Path SETPRIV = Path.of("/usr/bin/setpriv");
  private static final String JAVA =
      Path.of(System.getProperty("java.home"), "bin", "java").toString();

  @TempDir private Path base = Path.of("");

  @Test
  void itsDirectoryIsItsOwnersOnly() throws IOException {
    Path directory = WorkerOptions.directory(base);
    assertEquals(base, directory.getParent());
    assertEquals(
        "rwx------", PosixFilePermissions.toString(Files.getPosixFilePermissions(directory)));
  }

  @Test
  void itLiesInNoDirectoryOfAnotherUser() throws IOException {
    assumeTrue(
        ((Number) Files.getAttribute(base, "unix:uid")).intValue() == 0,
        "SKIPPED: only root can give a directory away");
    Files.setAttribute(base, "unix:uid", 54321);
    assertRefused(
        FileSystemException.class, () -> WorkerOptions.directory(base), "belongs to user 54321");
  }

  /** Even were its directory open to everybody. */
  @Test
  @EnabledOnOs(OS.LINUX)
  void anotherUsersConnectionIsNotTakenForTheProcesss() throws Exception {
    requireRoot();
    Path program =
        Files.writeString(
            base.resolve("Caller.java"),
            """
            import java.net.*;
            import java.nio.*;
            import java.nio.channels.*;
            class Caller {
              public static void main(String[] a) throws Exception {
                try (var channel = SocketChannel.open(UnixDomainSocketAddress.of(a[0]))) {
                  System.out.println("connected");
                  System.out.println(channel.read(ByteBuffer.allocate(1)));
                }
              }
            }
            """);
    Path socket = base.resolve("s");
    Files.setPosixFilePermissions(base, PosixFilePermissions.fromString("rwxr-xr-x"));
    UnixDomainSocketAddress address = UnixDomainSocketAddress.of(socket);
    try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      server.bind(address);
      server.configureBlocking(false);
      Files.setPosixFilePermissions(socket, PosixFilePermissions.fromString("rwxrwxrwx"));
      Process other = another(program, socket);
      try (BufferedReader said = other.inputReader()) {
        assertEquals("connected", said.readLine());
        assertNull(WorkerOptions.own(server));
        assertEquals("-1", said.readLine(), "it was not sent away");
        try (SocketChannel ours = SocketChannel.open(address);
            SocketChannel taken = WorkerOptions.own(server)) {
          assertNotNull(taken);
          assertEquals(1, ours.write(ByteBuffer.wrap(new byte[] {7})));
          assertEquals(1, taken.read(ByteBuffer.allocate(1)));
        }
      } finally {
        other.destroyForcibly();
      }
    }
  }

  /** A socket of another user's in the place of the parent's is told nothing. */
  @Test
  @EnabledOnOs(OS.LINUX)
  void aProcessDoesNotServeAnotherUser() throws Exception {
    requireRoot();
    Path program =
        Files.writeString(
            base.resolve("Listener.java"),
            """
            import java.net.*;
            import java.nio.*;
            import java.nio.channels.*;
            class Listener {
              public static void main(String[] a) throws Exception {
                try (var server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
                  server.bind(UnixDomainSocketAddress.of(a[0]));
                  System.out.println("listens");
                  try (var channel = server.accept()) {
                    System.out.println(channel.read(ByteBuffer.allocate(1)));
                  }
                }
              }
            }
            """);
    Files.setPosixFilePermissions(base, PosixFilePermissions.fromString("rwxr-xr-x"));
    Path open = Files.createDirectory(base.resolve("open"));
    Files.setPosixFilePermissions(open, PosixFilePermissions.fromString("rwxrwxrwx"));
    Path socket = open.resolve("s");
    Process other = another(program, socket);
    try (BufferedReader said = other.inputReader()) {
      assertEquals("listens", said.readLine());
      Process worker =
          new ProcessBuilder(
                  JAVA,
                  "-classpath",
                  System.getProperty("java.class.path"),
                  ScriptedWorker.class.getName(),
                  socket.toString(),
                  Long.toString(ProcessHandle.current().pid()),
                  "0")
              .redirectErrorStream(true)
              .start();
      try (BufferedReader words = worker.inputReader()) {
        String all = String.join(" ", words.lines().toList());
        assertTrue(all.contains("in the place of this process's parent"), all);
        assertEquals(RuntimeServer.SOFTWARE, worker.waitFor());
      } finally {
        worker.destroyForcibly();
      }
      assertEquals("-1", said.readLine(), "it was told something");
    } finally {
      other.destroyForcibly();
    }
  }

  private static void requireRoot() {
    assumeTrue(
        "root".equals(System.getProperty("user.name")) && Files.isExecutable(SETPRIV),
        "SKIPPED: only root can start another user's process, with setpriv");
  }

  /** The other user's process. */
  private Process another(Path program, Path socket) throws IOException {
    Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rw-r--r--"));
    return new ProcessBuilder(
            SETPRIV.toString(),
            "--reuid=65534",
            "--regid=65534",
            "--clear-groups",
            JAVA,
            program.toString(),
            socket.toString())
        .directory(base.toFile())
        .redirectErrorStream(true)
        .start();
  }
}
