package dev.semantic.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.semantic.store.disk.FaultyDisk;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DurableFilesTest {
  private static final byte[] HELLO = "hello".getBytes(StandardCharsets.US_ASCII);

  @TempDir Path directory;

  private static List<Path> files(Path where) throws IOException {
    try (Stream<Path> all = Files.list(where)) {
      return all.toList();
    }
  }

  @Test
  void aFileIsWrittenInAnyDirectoryAndWrittenOver() throws IOException {
    Path parent = directory.resolve("a/b");
    Path file = parent.resolve("kept");
    DurableFiles.keep(file, new byte[100_000]);
    DurableFiles.keep(file, HELLO);
    assertEquals("hello", Files.readString(file));
    assertEquals(List.of(file), files(parent));
  }

  @Test
  void whatFailsHalfWayLeavesWhatWasThere() throws IOException {
    Path file = directory.resolve("kept");
    DurableFiles.replace(file, HELLO);
    assertThrows(
        IOException.class,
        () ->
            DurableFiles.replace(
                file,
                channel -> {
                  channel.write(ByteBuffer.allocate(100_000));
                  throw new IOException("the disk is full");
                }));
    assertEquals("hello", Files.readString(file));
    assertEquals(List.of(file), files(directory));
  }

  @Test
  void anInterruptedThreadWritesAllTheSame() throws IOException {
    Path file = directory.resolve("kept");
    Thread.currentThread().interrupt();
    DurableFiles.replace(file, HELLO);
    assertTrue(Thread.interrupted(), "the interrupt was kept");
    assertEquals("hello", Files.readString(file));
  }

  /** Some shares cannot; what is kept can be had again, what is parked cannot. */
  @Test
  void whatCanBeHadAgainIsKeptWhereNoDirectoryCanBeForced() throws IOException {
    FaultyDisk disk = FaultyDisk.create();
    Path share = disk.path(directory);
    disk.inject(
        (count, operation) -> {
          if (operation.startsWith("force") && !operation.endsWith(".tmp")) {
            throw new IOException("Invalid argument");
          }
        });
    Path kept = share.resolve("a/b/kept");
    DurableFiles.keep(kept, HELLO);
    assertEquals("hello", Files.readString(kept));
    DurableFiles.createPrivate(share.resolve("c/d"));
    assertTrue(disk.operations().contains("force b"), disk.operations().toString());
    assertThrows(IOException.class, () -> DurableFiles.replace(share.resolve("parked"), HELLO));
    assertThrows(IOException.class, () -> DurableFiles.directories(share.resolve("e/f")));
  }

  /** Only root can give a directory away. */
  @Test
  void nothingIsWrittenIntoAnotherUsersDirectory() throws IOException {
    Path theirs = Files.createDirectory(directory.resolve("theirs"));
    assumeTrue(
        PrivateFiles.isPosix(theirs)
            && ((Number) Files.getAttribute(theirs, "unix:uid")).intValue() == 0);
    Files.setAttribute(theirs, "unix:uid", 4242);
    assertThrows(FileSystemException.class, () -> DurableFiles.keep(theirs.resolve("kept"), HELLO));
    assertEquals(List.of(), files(theirs));
  }
}
