package dev.semantic.io;

import static dev.semantic.scripted.ScriptedHost.assertSays;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.Channels;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@EnabledOnOs({OS.LINUX, OS.MAC})
class OwnPathTest {
  @TempDir Path root;
  private Path file;

  @BeforeEach
  void aFile() throws IOException {
    file = root.resolve("a/b/file");
    Files.createDirectories(file.getParent());
    Files.writeString(file, "");
  }

  @Test
  void whatIsOursIsFine() {
    assertDoesNotThrow(() -> OwnPath.claim(root, file));
  }

  @Test
  void theRootMayBeReachedByALinkNothingBelowIt() throws IOException {
    Path link = Files.createSymbolicLink(root.resolve("link"), root.resolve("a"));
    assertDoesNotThrow(() -> OwnPath.claim(link, link.resolve("b/file")));
    var refused =
        assertThrows(FileSystemException.class, () -> OwnPath.claim(root, link.resolve("b/file")));
    assertSays(link.toString(), refused);
  }

  @Test
  void aRootThatEverybodyMayWriteIsNoLongerSo() throws IOException {
    Files.setPosixFilePermissions(root, PosixFilePermissions.fromString("rwxrwxrwx"));
    OwnPath.claim(root, file);
    assertEquals("rwxrwxr-x", PosixFilePermissions.toString(Files.getPosixFilePermissions(root)));
  }

  /** Only root can give a file away. */
  @Test
  void whatIsAnothersIsRefusedWhereverItLies() throws IOException {
    assumeTrue(((Number) Files.getAttribute(root, "unix:uid")).intValue() == 0);
    for (Path path : List.of(file, root.resolve("a"), root)) {
      Files.setAttribute(path, "unix:uid", 4242);
      var refused = assertThrows(FileSystemException.class, () -> OwnPath.claim(root, file));
      assertSays(path.toString(), refused);
      assertSays("4242", refused);
      Files.setAttribute(path, "unix:uid", 0);
    }
    assertDoesNotThrow(() -> OwnPath.claim(root, file));
  }

  /** A link of ours to a disk with more room is ours; one of another user's leads anywhere. */
  @Test
  void aDirectoryMayBeReachedByALinkOfOurs() throws IOException {
    Path link = Files.createSymbolicLink(root.resolve("link"), root.resolve("a"));
    assertDoesNotThrow(() -> OwnPath.claim(link));
    assumeTrue(((Number) Files.getAttribute(root, "unix:uid")).intValue() == 0);
    Files.setAttribute(link, "unix:uid", 4242, LinkOption.NOFOLLOW_LINKS);
    assertSays(
        "belongs to user 4242", assertThrows(FileSystemException.class, () -> OwnPath.claim(link)));
  }

  private static byte[] read(Path secret) throws IOException {
    try (InputStream in = Channels.newInputStream(PrivateFiles.openSecret(secret))) {
      return in.readAllBytes();
    }
  }

  private Path secret(Path file) throws IOException {
    Files.writeString(file, "secret");
    return mode("rw-------", file);
  }

  private static Path mode(String mode, Path file) throws IOException {
    return Files.setPosixFilePermissions(file, PosixFilePermissions.fromString(mode));
  }

  /** Whoever may write to a directory may exchange a file after it was looked at. */
  @ParameterizedTest
  @ValueSource(strings = {"a", "a/b"})
  void aSecretThatOthersCouldExchangeIsRefusedByWhateverName(String directory) throws IOException {
    secret(file);
    Path link = Files.createSymbolicLink(root.resolve("link"), file);
    Path open = root.resolve(directory).toRealPath();
    for (String mode : List.of("rwxrwxr-x", "rwxr-xrwx")) {
      mode(mode, open);
      for (Path name : List.of(file, link)) {
        var refused = assertThrows(AccessDeniedException.class, () -> read(name));
        assertSays("chmod go-w " + open, refused);
        assertSays(mode, refused);
      }
    }
    mode("rwxr-xr-x", open);
    assertArrayEquals("secret".getBytes(StandardCharsets.UTF_8), read(file));
    assertArrayEquals("secret".getBytes(StandardCharsets.UTF_8), read(link));
  }

  /** As in {@code /tmp}: there each may remove what is his own. */
  @Test
  void aSecretInAStickyDirectoryIsNobodyElsesToExchange() throws IOException {
    Files.setAttribute(root.resolve("a"), "unix:mode", 0_41777);
    assertArrayEquals("secret".getBytes(StandardCharsets.UTF_8), read(secret(file)));
  }

  @Test
  void aSecretBelowAnotherUsersDirectoryIsRefused() throws IOException {
    secret(file);
    assumeTrue(((Number) Files.getAttribute(root, "unix:uid")).intValue() == 0);
    for (Path path : List.of(file, root.resolve("a/b"), root.resolve("a"))) {
      Files.setAttribute(path, "unix:uid", 4242);
      assertSays("belongs to 4242", assertThrows(AccessDeniedException.class, () -> read(file)));
      Files.setAttribute(path, "unix:uid", 0);
    }
  }

  @Test
  void aSecretThatOthersMayReadIsRefused() throws IOException {
    mode("rw-r-----", file);
    assertSays("chmod 600 ", assertThrows(AccessDeniedException.class, () -> read(file)));
  }

  /** {@code <(...)} of a shell; who else may read a pipe without a name? */
  @Test
  @EnabledOnOs(OS.LINUX)
  void aSecretIsReadFromAPipeOfTheShell() throws Exception {
    Process process =
        new ProcessBuilder(
                "/bin/sh",
                "-c",
                "printf secret | \"$0\" -cp \"$1\" \"$2\"",
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                System.getProperty("java.class.path"),
                FromPipe.class.getName())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertTrue(process.waitFor(1, TimeUnit.MINUTES));
    assertEquals("secret", said);
  }

  /** Shows the secret in its standard input. */
  static final class FromPipe {
    private FromPipe() {}

    public static void main(String[] arguments) throws IOException {
      System.out.write(read(Path.of("/dev/stdin")));
      System.out.flush();
    }
  }
}
