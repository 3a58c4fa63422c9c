package dev.semantic.mlx.files;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WholeFileTest {
  @TempDir private Path directory = Path.of("");

  private static void hello(OutputStream out) throws IOException {
    out.write("hello".getBytes(java.nio.charset.StandardCharsets.US_ASCII));
  }

  private List<Path> files(Path where) throws IOException {
    try (Stream<Path> all = Files.list(where)) {
      return all.toList();
    }
  }

  @Test
  void aFileIsWrittenInAnyDirectoryAndWrittenOver() throws IOException {
    Path parent = directory.resolve("a/b");
    Path file = parent.resolve("kept");
    WholeFile.write(file, out -> out.write(new byte[100_000]));
    WholeFile.write(file, WholeFileTest::hello);
    assertEquals("hello", Files.readString(file));
    assertEquals(List.of(file), files(parent));
  }

  @Test
  void aWriterMayCloseWhatItIsGiven() throws IOException {
    Path file = directory.resolve("kept");
    WholeFile.write(
        file,
        out -> {
          try (out) {
            hello(out);
          }
        });
    assertEquals("hello", Files.readString(file));
  }

  @Test
  void whatFailsHalfWayLeavesWhatWasThere() throws IOException {
    Path file = directory.resolve("kept");
    WholeFile.write(file, WholeFileTest::hello);
    assertThrows(
        IOException.class,
        () ->
            WholeFile.write(
                file,
                out -> {
                  out.write(new byte[100_000]);
                  throw new IOException("the disk is full");
                }));
    assertEquals("hello", Files.readString(file));
    assertEquals(List.of(file), files(directory));
  }

  @Test
  void anInterruptedThreadWritesAllTheSame() throws IOException {
    Path file = directory.resolve("kept");
    Thread.currentThread().interrupt();
    WholeFile.write(file, WholeFileTest::hello);
    assertTrue(Thread.interrupted(), "the interrupt was kept");
    assertEquals("hello", Files.readString(file));
  }
}
