package dev.semantic.store.format;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.semantic.io.DurableFiles;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Files that are mapped to be read, and files that others meddle with meanwhile. */
class FileBytesTest {
  private static final int LENGTH = 1 << 16;

  @TempDir Path directory;
  private Path file;
  private final byte[] content = new byte[LENGTH];

  @BeforeEach
  void write() throws IOException {
    new Random(7).nextBytes(content);
    file = Files.write(directory.resolve("file"), content);
  }

  @Test
  void mappedOrNotTheBytesAreTheSame() throws IOException {
    try (FileChannel channel = FileChannel.open(file)) {
      for (FileBytes bytes : new FileBytes[] {FileBytes.of(channel), FileBytes.mapped(channel)}) {
        for (int[] span : new int[][] {{0, LENGTH}, {1, 1}, {4095, 3}, {LENGTH - 9, 9}, {7, 0}}) {
          ByteBuffer target = ByteBuffer.allocate(span[1]);
          bytes.read("part", span[0], target);
          assertArrayEquals(
              Arrays.copyOfRange(content, span[0], span[0] + span[1]), target.array());
        }
      }
    }
  }

  @Test
  void behindTheEndThereIsNothing() throws IOException {
    try (FileChannel channel = FileChannel.open(file)) {
      for (FileBytes bytes : new FileBytes[] {FileBytes.of(channel), FileBytes.mapped(channel)}) {
        CacheFileException failure =
            assertThrows(
                CacheFileException.class,
                () -> bytes.read("the tail", LENGTH - 4, ByteBuffer.allocate(5)));
        assertEquals("it ends at offset 65536, in the tail", failure.getMessage());
      }
    }
  }

  /** The JVM says it where it next looks, which may be outside of what reads. */
  @Test
  void thatAFileWasCutIsNoErrorWhereverItIsTold() {
    InternalError told = new InternalError("a fault occurred in an unsafe memory access operation");
    IOException failure =
        assertThrows(
            IOException.class,
            () ->
                DurableFiles.uninterrupted(
                    () -> {
                      throw told;
                    }));
    assertSame(told, failure.getCause());
  }

  @Test
  void aFileThatIsCutOffWhileItIsReadEndsTheReadingAndNotTheJvm() throws IOException {
    try (FileChannel channel = FileChannel.open(file);
        FileChannel meddler = FileChannel.open(file, StandardOpenOption.WRITE)) {
      FileBytes bytes = FileBytes.mapped(channel);
      meddler.truncate(0);
      for (int length : new int[] {1, 64, LENGTH / 2}) {
        for (ByteBuffer target :
            new ByteBuffer[] {ByteBuffer.allocate(length), ByteBuffer.allocateDirect(length)}) {
          IOException failure =
              assertThrows(IOException.class, () -> bytes.read("the middle", 8192, target));
          assertInstanceOf(InternalError.class, failure.getCause());
        }
      }
    }
  }
}
