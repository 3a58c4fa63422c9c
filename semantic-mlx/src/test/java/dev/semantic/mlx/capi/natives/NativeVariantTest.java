package dev.semantic.mlx.capi.natives;

import static dev.semantic.mlx.testing.Refusal.assertRefused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.mlx.MlxException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NativeVariantTest {
  @Test
  void isChosenByPlatformAndWish() {
    assertEquals(NativeVariant.LINUX_CPU, NativeVariant.of("Linux", "amd64", false, ""));
    assertEquals(NativeVariant.LINUX_CUDA, NativeVariant.of("Linux", "amd64", false, "cuda"));
    assertEquals(NativeVariant.MACOS_METAL, NativeVariant.of("Mac OS X", "aarch64", false, "cuda"));
  }

  @Test
  void saysWhereMlxDoesNotRun() {
    assertNone("Windows 11 on amd64", "Windows 11", "amd64", false);
    assertNone("Linux on riscv64", "Linux", "riscv64", false);
    assertNone("Mac OS X on x86_64", "Mac OS X", "x86_64", false);
    assertNone("musl", "Linux", "amd64", true);
  }

  private static void assertNone(String word, String os, String arch, boolean musl) {
    assertRefused(MlxException.class, () -> NativeVariant.of(os, arch, musl, ""), word);
  }

  @Test
  void muslIsSeenInTheMemoryMap(@TempDir Path home) throws IOException {
    Path map = home.resolve("maps");
    Files.writeString(map, "7f00-7f01 r--p 0 fe:00 1 /lib/ld-musl-x86_64.so.1\n");
    assertTrue(NativeVariant.isMusl(map));
    Files.writeString(map, "7f00-7f01 r--p 0 fe:00 1 /usr/lib/ld-linux-x86-64.so.2\n");
    assertFalse(NativeVariant.isMusl(map));
    assertFalse(NativeVariant.isMusl(home.resolve("no such file")));
  }

  @Test
  void eachHasItsOwnKeyAndTheVersionsComeFromThePom() {
    assertNotEquals(
        NativePins.key(NativeVariant.LINUX_CPU), NativePins.key(NativeVariant.LINUX_CUDA));
    assertTrue(NativePins.mlxVersion().matches("\\d+\\.\\d+\\.\\d+"), NativePins.mlxVersion());
    assertThrows(IllegalStateException.class, () -> NativePins.sha256("unknown.whl"));
  }
}
