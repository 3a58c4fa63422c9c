package dev.semantic.build;

import dev.semantic.mlx.capi.natives.NativeVariant;
import dev.semantic.pip.Command;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** mlx-c compiled against MLX as it comes in the wheel. */
final class MlxcBuild {
  /** Relative to the module, where Maven starts the build. */
  private static final Path FORMAT_SHIM = Path.of("src/build/cpp/std_format.h");

  private final Tools tools;
  private final NativeVariant variant;
  private final Path work;

  MlxcBuild(Tools tools, NativeVariant variant, Path work) {
    this.tools = tools;
    this.variant = variant;
    this.work = work;
  }

  /**
   * Compiles mlx-c.
   *
   * @param source its sources
   * @param sdk an unpacked wheel with MLX's headers and library
   * @return the library, which looks for MLX in its own directory
   */
  Path build(Path source, Path sdk) throws IOException {
    boolean mac = variant == NativeVariant.MACOS_METAL;
    if (mac) {
      nameFrameworks(sdk.resolve("mlx/share/cmake/MLX/MLXTargets.cmake"));
    }
    Path out = work.resolve("out");
    String cmake = tools.bring("cmake", work);
    String ninja = tools.bring("ninja", work);
    // The prefix map keeps this machine's paths out of the binary and out of MLX's messages.
    String flags =
        "-include \"%s\" \"-ffile-prefix-map=%s=mlx-c\" \"-ffile-prefix-map=%s=.\""
            .formatted(FORMAT_SHIM.toAbsolutePath(), source, work);
    List<String> line = new ArrayList<>(List.of(cmake, "-G", "Ninja"));
    line.addAll(List.of("-S", source.toString(), "-B", out.toString()));
    line.add("-DCMAKE_MAKE_PROGRAM=" + ninja);
    line.add("-DCMAKE_BUILD_TYPE=Release");
    line.add("-DCMAKE_CXX_FLAGS=" + flags);
    line.add("-DBUILD_SHARED_LIBS=ON");
    line.add("-DMLX_C_USE_SYSTEM_MLX=ON");
    line.add("-DMLX_C_BUILD_EXAMPLES=OFF");
    line.add("-DMLX_DIR=" + sdk.resolve("mlx/share/cmake/MLX"));
    line.add("-DCMAKE_BUILD_WITH_INSTALL_RPATH=ON");
    line.add("-DCMAKE_INSTALL_RPATH=" + (mac ? "@loader_path" : "$ORIGIN"));
    line.add(mac ? "-DCMAKE_OSX_DEPLOYMENT_TARGET=14.0" : "-DCMAKE_SHARED_LINKER_FLAGS=-s");
    run("configure", line);
    run("compile", List.of(cmake, "--build", out.toString(), "--target", "mlxc"));
    Path library = out.resolve(variant.library());
    if (!Files.isRegularFile(library)) {
      throw new IOException("The build of mlx-c made no " + variant.library());
    }
    return library;
  }

  /** MLX's wheel names Apple's frameworks by where they lay on the machine that built it. */
  private static void nameFrameworks(Path targets) throws IOException {
    String text = Files.readString(targets);
    Files.writeString(targets, text.replaceAll("/[^;\"]*/(\\w+)\\.framework", "-framework $1"));
  }

  private static void run(String what, List<String> line) throws IOException {
    Command.Result result = Command.run(line, null, Map.of());
    if (!result.succeeded()) {
      throw new IOException("cmake could not " + what + " mlx-c. It said:\n" + result.tail());
    }
  }
}
