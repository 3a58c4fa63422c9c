package dev.semantic.build;

import dev.semantic.mlx.capi.natives.NativeVariant;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/** The natives as a jar for the class or module path: equal files give an equal jar. */
final class NativesJar {
  private static final LocalDateTime NO_TIME = LocalDateTime.of(1980, 2, 1, 0, 0);

  private NativesJar() {}

  static void write(Path files, NativeVariant variant, Path jar) throws IOException {
    List<Path> sorted;
    try (Stream<Path> all = Files.walk(files)) {
      sorted = all.filter(Files::isRegularFile).sorted().toList();
    }
    try (OutputStream out = Files.newOutputStream(jar);
        ZipOutputStream zip = new ZipOutputStream(out)) {
      begin(zip, "META-INF/MANIFEST.MF");
      String module = "dev.semantic.mlx.natives." + variant.classifier().replace('-', '.');
      String manifest = "Manifest-Version: 1.0\r\nAutomatic-Module-Name: " + module + "\r\n\r\n";
      zip.write(manifest.getBytes(StandardCharsets.UTF_8));
      for (Path file : sorted) {
        begin(zip, variant.resourceRoot() + files.relativize(file));
        Files.copy(file, zip);
      }
    }
  }

  private static void begin(ZipOutputStream zip, String name) throws IOException {
    ZipEntry entry = new ZipEntry(name);
    entry.setTimeLocal(NO_TIME);
    zip.putNextEntry(entry);
  }
}
