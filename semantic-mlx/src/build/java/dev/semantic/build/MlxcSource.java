package dev.semantic.build;

import dev.semantic.mlx.capi.natives.NativePins;
import dev.semantic.pip.Command;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
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
    Path cargoHome = Files.createDirectories(work.resolve("cargo"));
    Map<String, String> environment = new HashMap<>(cargo.environment());
    environment.put("CARGO_HOME", cargoHome.toString());
    Command.Result result = Command.run(line(), project, environment);
    if (!result.succeeded()) {
      throw new IOException(
          "cargo could not fetch the crate " + crate + ". cargo said:\n" + result.tail());
    }
    Recipe.verify(only(cargoHome.resolve("registry/cache"), crate + ".crate"));
    return only(cargoHome.resolve("registry/src"), crate).resolve("src/mlx-c");
  }

  private List<String> line() {
    List<String> line = new ArrayList<>(List.of(cargo.program(), "fetch", "--quiet"));
    // The user's registry mirror and proxy live in the CARGO_HOME that is not used here.
    String own = System.getenv("CARGO_HOME");
    Path home = own == null ? Path.of(System.getProperty("user.home"), ".cargo") : Path.of(own);
    Path settings = home.resolve("config.toml");
    if (Files.isReadable(settings)) {
      line.addAll(List.of("--config", settings.toString()));
    }
    return line;
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
