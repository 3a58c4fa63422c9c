package dev.semantic.mlx.capi.natives;

import dev.semantic.mlx.models.UserCache;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;

/** A JVM of its own that unpacks natives; started several times at once by a test. */
final class UnpackingProgram {
  private UnpackingProgram() {}

  public static void main(String[] args) throws Exception {
    URL[] jar = {Path.of(args[1]).toUri().toURL()};
    try (URLClassLoader resources = new URLClassLoader(jar, null)) {
      Path found =
          new NativeLibrary(
                  new UserCache(Path.of(args[0])), resources, FakeNatives.VARIANT, Path.of("none"))
              .find();
      System.out.println(found);
    }
  }
}
