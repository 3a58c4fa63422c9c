package dev.semantic.mlx.capi.natives;

import static dev.semantic.mlx.testing.Refusal.assertRefused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class NativeManifestTest {
  @TempDir Path home;

  private static NativeManifest read(String text) throws IOException {
    return NativeManifest.read(new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)));
  }

  @Test
  void whatIsWrittenIsRead() throws IOException {
    Files.writeString(home.resolve("a"), "1");
    Files.writeString(home.resolve("b"), "2");
    var manifest = NativeManifest.describe(home, List.of("b", "a"), Map.of("mlx", "0.32.2"));
    assertEquals(manifest, read(manifest.text()));
    assertEquals(manifest.id(), read(manifest.text()).id());
    assertEquals(Optional.empty(), manifest.damage(home));
  }

  @Test
  void anyDamageIsNamed() throws IOException {
    Path file = Files.writeString(home.resolve("a"), "content");
    var manifest = NativeManifest.describe(home, List.of("a"), Map.of());
    Files.writeString(file, "cOntent");
    assertTrue(manifest.damage(home).orElseThrow().contains("expected"));
    Files.writeString(file, "conten");
    assertTrue(manifest.damage(home).orElseThrow().contains("6 bytes, expected 7"));
    Files.delete(file);
    assertTrue(manifest.damage(home).orElseThrow().contains("missing"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "mlx=0.32.2\n",
        "file.a=\n",
        "file.a=12\n",
        "file.a=x y\n",
        "file.a=99999999999999999999 y\n",
        "file.../a=1 y\n",
        "file./etc/passwd=1 y\n",
        "file.a/../../b=1 y\n",
        "file.a=1 \\u00\n"
      })
  void whatIsNoManifestIsRefused(String text) {
    assertRefused(IOException.class, () -> read(text), "damaged");
  }
}
