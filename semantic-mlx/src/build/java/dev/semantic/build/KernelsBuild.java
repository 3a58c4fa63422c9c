package dev.semantic.build;

import dev.semantic.mlx.capi.natives.NativeLibrary;
import dev.semantic.mlx.files.Sha256;
import dev.semantic.pip.Command;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/** Our own CPU kernels, compiled against MLX and mlx-c. */
final class KernelsBuild {
  /** Relative to the module, where Maven starts the build. */
  private static final Path SOURCES = Path.of("src/native");

  private final Tools tools;
  private final Path parts;
  private final Path work;

  /**
   * Compiles nothing yet.
   *
   * @param parts what {@link Recipe} has made
   */
  KernelsBuild(Tools tools, Path parts, Path work) {
    this.tools = tools;
    this.parts = parts;
    this.work = work;
  }

  /** Changes when any of the sources does. */
  static String fingerprint() throws IOException {
    MessageDigest digest = Sha256.digest();
    try (Stream<Path> files = Files.list(SOURCES)) {
      for (Path file : files.filter(Files::isRegularFile).sorted().toList()) {
        digest.update((file.getFileName() + "\n").getBytes(StandardCharsets.UTF_8));
        digest.update(Files.readAllBytes(file));
      }
    }
    return Sha256.finish(digest);
  }

  /**
   * Compiles them. A compiler that cannot is no reason to be without MLX: its own kernels compute
   * the same, slower. It is said, and everything goes on; on a continuous build it is a failure.
   *
   * @return the library, which looks for MLX in its own directory
   */
  Optional<Path> build() throws IOException {
    Path out = work.resolve("out");
    String cmake = tools.bring("cmake", work);
    String ninja = tools.bring("ninja", work);
    boolean strict = Boolean.parseBoolean(System.getenv("CI"));
    Path sources = SOURCES.toAbsolutePath();
    List<String> configure =
        List.of(
            cmake,
            "-G",
            "Ninja",
            "-S",
            sources.toString(),
            "-B",
            out.toString(),
            "-DCMAKE_MAKE_PROGRAM=" + ninja,
            "-DCMAKE_BUILD_TYPE=Release",
            "-DCMAKE_CXX_FLAGS=\"-ffile-prefix-map=%s=.\"".formatted(sources),
            "-DCMAKE_SHARED_LINKER_FLAGS=-s",
            "-DCMAKE_COMPILE_WARNING_AS_ERROR=" + (strict ? "ON" : "OFF"),
            "-DPARTS=" + parts.toAbsolutePath());
    Command.Result result = Command.run(configure, null, Map.of());
    if (result.succeeded()) {
      result = Command.run(List.of(cmake, "--build", out.toString()), null, Map.of());
    }
    Path library = out.resolve(NativeLibrary.KERNELS);
    if (result.succeeded() && Files.isRegularFile(library)) {
      return Optional.of(library);
    }
    String failure = "the CPU kernels could not be compiled. The compiler said:\n" + result.tail();
    if (strict) {
      throw new IOException(failure);
    }
    NativesBuild.say(failure);
    NativesBuild.say("going on without them: MLX's own kernels will serve, slower");
    return Optional.empty();
  }
}
