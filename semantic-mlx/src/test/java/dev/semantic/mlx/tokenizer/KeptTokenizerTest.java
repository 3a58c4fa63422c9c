package dev.semantic.mlx.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** A tokenizer that was kept is believed where nobody else can have written it. */
@EnabledOnOs({OS.LINUX, OS.MAC})
class KeptTokenizerTest {
  private static final byte[] TEXT = "{\"model\":{}}".getBytes(StandardCharsets.UTF_8);

  @TempDir Path root;

  private Path directory() {
    return root.resolve("tokenizers");
  }

  private KeptTokenizer kept() {
    return new KeptTokenizer(directory(), "0123abcd");
  }

  @Test
  void itIsItsOwnersOnly() throws IOException {
    kept().write(TEXT);
    assertArrayEquals(TEXT, kept().read().orElseThrow());
    assertEquals("rwx------", mode(directory()));
    try (Stream<Path> files = Files.list(directory())) {
      for (Path file : files.toList()) {
        assertEquals("rw-------", mode(file));
      }
    }
  }

  private static String mode(Path path) throws IOException {
    return PosixFilePermissions.toString(Files.getPosixFilePermissions(path));
  }

  @Test
  void othersLoseTheRightToWriteThere() throws IOException {
    kept().write(TEXT);
    Files.setPosixFilePermissions(directory(), PosixFilePermissions.fromString("rwxrwxrwx"));
    assertArrayEquals(TEXT, kept().read().orElseThrow());
    assertFalse(mode(directory()).endsWith("w-") || mode(directory()).endsWith("wx"));
  }

  @Test
  void whatLiesInAnotherUsersDirectoryIsNotBelieved() throws IOException {
    kept().write(TEXT);
    assumeTrue(
        ((Number) Files.getAttribute(directory(), "unix:uid")).intValue() == 0,
        "SKIPPED: only root can give a directory away");
    Files.setAttribute(directory(), "unix:uid", 54321);
    assertEquals(Optional.empty(), kept().read());
    kept().write("{}".getBytes(StandardCharsets.UTF_8)); // which it says, and does not
    try (Stream<Path> files = Files.list(directory())) {
      assertEquals(1, files.count());
    }
  }

  /** They could write there once. */
  @Test
  void whatAnotherUserLeftInOurDirectoryIsNotBelieved() throws IOException {
    kept().write(TEXT);
    try (Stream<Path> files = Files.list(directory())) {
      Path file = files.findAny().orElseThrow();
      assumeTrue(
          ((Number) Files.getAttribute(file, "unix:uid")).intValue() == 0,
          "SKIPPED: only root can give a file away");
      Files.setAttribute(file, "unix:uid", 54321);
    }
    assertEquals(Optional.empty(), kept().read());
    kept().write(TEXT);
    assertArrayEquals(TEXT, kept().read().orElseThrow());
  }
}
