package dev.semantic.build;

import dev.semantic.mlx.capi.natives.NativePins;
import dev.semantic.pip.Command;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * mlx-c's sources, which the crate {@code mlx-sys} of the same version carries. cargo only fetches:
 * no Rust is compiled.
 */
final class MlxcSource {
  private final Tools.Cargo cargo;
  private final Path work;

  MlxcSource(Tools.Cargo cargo, Path work) {
    this.cargo = cargo;
    this.work = work;
  }

  /** The directory with mlx-c's {@code CMakeLists.txt}. */
  Path fetch() throws IOException {
    String crate = "mlx-sys-" + NativePins.mlxcVersion();
    Path project = work.resolve("crate");
    Files.createDirectories(project.resolve("src"));
    Files.writeString(project.resolve("src/lib.rs"), "");
    Files.writeString(
        project.resolve("Cargo.toml"),
        """
        [package]
        name = "fetch"
        version = "0.0.0"
        edition = "2021"

        [dependencies]
        mlx-sys = "=%s"
        """
            .formatted(NativePins.mlxcVersion()));
    Path cargoHome = work.resolve("cargo");
    Command.Result result = cargo.run(List.of("fetch", "--quiet"), project, cargoHome, Map.of());
    if (!result.succeeded()) {
      throw new IOException(
          "cargo could not fetch the crate " + crate + ". cargo said:\n" + result.tail());
    }
    Recipe.verify(only(cargoHome.resolve("registry/cache"), crate + ".crate"));
    return only(cargoHome.resolve("registry/src"), crate).resolve("src/mlx-c");
  }

  /** {@code <registry>/<index>/<name>}, where the index is named by the registry. */
  private static Path only(Path registry, String name) throws IOException {
    try (Stream<Path> indices = Files.list(registry)) {
      return indices
          .map(index -> index.resolve(name))
          .filter(Files::exists)
          .findFirst()
          .orElseThrow(() -> new IOException("cargo fetched no " + name + " into " + registry));
    }
  }
}
