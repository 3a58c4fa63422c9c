package dev.semantic.mlx.files;

import static dev.semantic.mlx.testing.Refusal.assertRefused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ArchiveTest {
  @TempDir Path home;

  private Path archive(String entry) throws IOException {
    Path file = home.resolve("a.zip");
    try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(file))) {
      zip.putNextEntry(new ZipEntry("lib/kept"));
      zip.write('k');
      zip.putNextEntry(new ZipEntry(entry));
      zip.write('x');
    }
    return file;
  }

  @Test
  void writesOnlyWhatIsWanted() throws IOException {
    Archive.extract(archive("doc/left"), home.resolve("out"), name -> name.startsWith("lib/"));
    assertEquals("k", Files.readString(home.resolve("out/lib/kept")));
    assertFalse(Files.exists(home.resolve("out/doc")));
  }

  @Test
  void refusesAnEntryThatLeadsOut() throws IOException {
    Path file = archive("../outside");
    assertRefused(
        IOException.class,
        () -> Archive.extract(file, home.resolve("out"), name -> true),
        "../outside");
    assertFalse(Files.exists(home.resolve("outside")));
  }
}
