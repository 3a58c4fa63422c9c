package dev.semantic.mlx.capi;

import static dev.semantic.mlx.testing.Refusal.assertRefused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.mlx.Mlx;
import dev.semantic.mlx.MlxException;
import dev.semantic.mlx.testing.RequiresNatives;
import java.io.File;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import org.junit.jupiter.api.Test;

class LoaderClaimTest {
  @Test
  void whoHasItKeepsIt() {
    Properties everywhere = new Properties();
    LoaderClaim.stake(everywhere, "one");
    LoaderClaim.stake(everywhere, "one");
    assertRefused(
        MlxException.class,
        () -> LoaderClaim.stake(everywhere, "two"),
        "one",
        "two",
        "IsolatedRuntime");
  }

  @Test
  void whatAParentProcessHasPassedOnIsNoClaim() {
    Properties everywhere = new Properties();
    everywhere.setProperty("semantic.mlx.claimed", "1 of another process");
    LoaderClaim.stake(everywhere, "one");
    assertRefused(MlxException.class, () -> LoaderClaim.stake(everywhere, "two"), "of one");
  }

  @Test
  @RequiresNatives
  void aSecondClassLoaderIsToldWhatToDo() throws Exception {
    try (Mlx mlx = Mlx.open()) {
      List<URL> urls = new ArrayList<>();
      for (String entry : System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
        urls.add(Path.of(entry).toUri().toURL());
      }
      ClassLoader platform = ClassLoader.getPlatformClassLoader();
      try (URLClassLoader second = new URLClassLoader(urls.toArray(URL[]::new), platform)) {
        Method open = second.loadClass(Mlx.class.getName()).getMethod("open");
        String thrown =
            String.valueOf(
                assertThrows(InvocationTargetException.class, () -> open.invoke(null)).getCause());
        assertTrue(
            thrown.startsWith(MlxException.class.getName() + ": MLX can be had once"), thrown);
      }
      assertEquals(mlx.version(), Mlx.open().version());
    }
  }
}
