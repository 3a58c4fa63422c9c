package dev.semantic.build;

import dev.semantic.mlx.capi.natives.NativeLibrary;
import dev.semantic.mlx.capi.natives.NativeManifest;
import dev.semantic.mlx.capi.natives.NativeVariant;
import dev.semantic.mlx.files.OnceDirectory;
import dev.semantic.mlx.files.Sha256;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * All natives together: the parts that are others', on Linux our own CPU kernels, a manifest, and
 * the same as a jar. Making the parts takes a minute, the kernels some seconds; so whoever works on
 * the kernels waits for those only.
 */
final class Packing {
  /** All natives, packed for the class path. */
  static final String JAR = "natives.jar";

  /** The jar's SHA-256. */
  static final String JAR_SUM = "natives.jar.sha256";

  private final NativeVariant variant;
  private final Tools tools;

  Packing(NativeVariant variant, Tools tools) {
    this.variant = variant;
    this.tools = tools;
  }

  /**
   * Packs them.
   *
   * @param parts what {@link Recipe} has made, then what others have
   * @param home an empty directory
   */
  void run(List<Path> parts, Path home) throws IOException {
    Path files = home.resolve(Recipe.FILES);
    for (Path part : parts) {
      linkAll(part.resolve(Recipe.FILES), files);
    }
    if (variant == NativeVariant.LINUX_CPU) {
      NativesBuild.say("4/5 compiling the CPU kernels");
      Path work = Files.createDirectories(home.resolve("work"));
      Optional<Path> kernels = new KernelsBuild(tools, parts.getFirst(), work).build();
      if (kernels.isPresent()) {
        Recipe.take(kernels.get(), files.resolve("mlx/lib").resolve(NativeLibrary.KERNELS));
      }
      OnceDirectory.delete(work);
    }
    NativesBuild.say("5/5 packing");
    Recipe.describe(variant, files);
    NativesJar.write(files, variant, home.resolve(JAR));
    Files.writeString(home.resolve(JAR_SUM), Sha256.of(home.resolve(JAR)));
  }

  private static void linkAll(Path from, Path to) throws IOException {
    try (Stream<Path> all = Files.walk(from)) {
      for (Path file : all.filter(Files::isRegularFile).toList()) {
        if (!file.endsWith(NativeManifest.FILE_NAME)) {
          link(file, to.resolve(from.relativize(file).toString()));
        }
      }
    }
  }

  private static void link(Path from, Path to) throws IOException {
    Files.createDirectories(to.getParent());
    try {
      Files.createLink(to, from);
    } catch (IOException | UnsupportedOperationException e) {
      Files.copy(from, to); // a file system without links
    }
  }
}
