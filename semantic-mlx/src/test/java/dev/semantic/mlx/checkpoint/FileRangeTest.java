package dev.semantic.mlx.checkpoint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the system is told of a file's pages changes nothing of what is read. */
class FileRangeTest {
  private static final int SIZE = 300_001;

  private final byte[] content = new byte[SIZE];
  @TempDir Path directory;
  private Path path;

  @BeforeEach
  void write() throws IOException {
    new Random(7).nextBytes(content);
    path = Files.write(directory.resolve("b"), content);
  }

  @Test
  void whatWasAnnouncedAndLetGoIsReadAsBefore() {
    try (MappedFile file = MappedFile.open(path)) {
      for (int from : new int[] {0, 1, 4096, 20_000, SIZE - 1}) {
        FileRange part = new FileRange(file, from, SIZE - from);
        part.announce();
        part.await();
        part.letGo();
        byte[] read = new byte[SIZE - from];
        file.copy(from, MemorySegment.ofArray(read), read.length);
        part.letGo();
        byte[] again = file.bytes(from, SIZE - from);
        assertArrayEquals(read, again);
        assertEquals(content[from], read[0]);
        assertEquals(content[SIZE - 1], read[SIZE - 1 - from]);
      }
    }
  }

  /** The same addresses may be another's memory by then, whose pages would be lost. */
  @Test
  void noHintIsGivenForAFileThatIsClosed() {
    MappedFile file = MappedFile.open(path);
    FileRange part = new FileRange(file, 0, SIZE);
    file.close();
    assertThrows(IllegalStateException.class, part::letGo);
    assertThrows(IllegalStateException.class, part::announce);
  }

  @Test
  void partsThatTouchAreReadInOneGo() throws IOException {
    Path first = Files.write(directory.resolve("a"), content);
    try (MappedFile b = MappedFile.open(path);
        MappedFile a = MappedFile.open(first)) {
      List<FileRange> joined =
          FileRange.joined(
              List.of(
                  new FileRange(b, 30, 10),
                  new FileRange(a, 40, 5),
                  new FileRange(b, 0, 30),
                  new FileRange(a, 46, 4)));
      assertEquals(List.of(5L, 4L, 40L), joined.stream().map(FileRange::bytes).toList());
    }
  }
}
