package dev.semantic.mlx.capi.natives;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/** Natives jars with libraries of a few bytes, to be unpacked and never loaded. */
final class FakeNatives {
  static final NativeVariant VARIANT = NativeVariant.LINUX_CPU;
  static final String LIBRARY = "mlx/lib/" + VARIANT.library();
  private static final List<String> FILES = List.of(LIBRARY, "mlx/lib/libmlx.so", "blas.libs/b");

  private FakeNatives() {}

  static Path jar(Path directory) throws IOException {
    return jar(directory, false);
  }

  /** A jar; if {@code lying}, its manifest promises other bytes than it holds. */
  static Path jar(Path directory, boolean lying) throws IOException {
    Path files = Files.createDirectories(directory.resolve("fake"));
    for (String name : FILES) {
      Files.createDirectories(files.resolve(name).getParent());
      Files.writeString(files.resolve(name), "content of " + name);
    }
    NativeManifest manifest = NativeManifest.describe(files, FILES, Map.of("mlx", "0"));
    if (lying) {
      Files.writeString(files.resolve(LIBRARY), "CONTENT of " + LIBRARY);
    }
    Path jar = directory.resolve("natives.jar");
    try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(jar))) {
      zip.putNextEntry(new ZipEntry(VARIANT.resourceRoot() + NativeManifest.FILE_NAME));
      zip.write(manifest.text().getBytes(java.nio.charset.StandardCharsets.UTF_8));
      for (String name : FILES) {
        zip.putNextEntry(new ZipEntry(VARIANT.resourceRoot() + name));
        zip.write(Files.readAllBytes(files.resolve(name)));
      }
    }
    return jar;
  }
}
