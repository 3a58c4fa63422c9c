package dev.semantic.build;

import dev.semantic.mlx.capi.natives.NativeManifest;
import dev.semantic.mlx.capi.natives.NativePins;
import dev.semantic.mlx.capi.natives.NativeVariant;
import dev.semantic.mlx.files.Archive;
import dev.semantic.mlx.files.OnceDirectory;
import dev.semantic.mlx.files.Sha256;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * How the parts of the natives that are others' are made: MLX from its wheel, mlx-c built against
 * it, on Linux OpenBLAS in place of the wheel's reference BLAS (which is sixty times slower), all
 * described by a manifest; and the headers of MLX and mlx-c, for what is compiled against them.
 * Linux for the CPU is what is run and tested by the project's own machines; the macOS and CUDA
 * variants follow the same steps with other wheels.
 */
final class Recipe {
  /** The natives themselves, below the build's directory. */
  static final String FILES = "files";

  /** The headers of MLX and mlx-c, below the build's directory. */
  private static final String INCLUDE = "include";

  /** Relative to the module, where Maven starts the build. */
  private static final Path NOTICE = Path.of("src/build/NOTICE");

  /** Where the libraries lie below {@link #FILES}. */
  static final String LIB = "mlx/lib/";

  private final NativeVariant variant;
  private final Tools tools;
  private final Path openblas;
  private final Path include;
  private final Path work;
  private final Path files;

  Recipe(NativeVariant variant, Tools tools, Path openblas, Path home) {
    this.variant = variant;
    this.tools = tools;
    this.openblas = openblas;
    this.include = home.resolve(INCLUDE);
    this.work = home.resolve("work");
    this.files = home.resolve(FILES);
  }

  void run() throws IOException {
    Files.createDirectories(work);
    Files.createDirectories(files);
    NativesBuild.say("1/5 fetching MLX " + NativePins.mlxVersion());
    // mlx-c is always compiled against the plain build: the CUDA wheel's headers want the CUDA
    // toolkit, and the two libmlx.so have the same interface.
    Path sdk = wheel(variant == NativeVariant.MACOS_METAL ? "mlx-metal" : "mlx-cpu");
    Path mlx = variant == NativeVariant.LINUX_CUDA ? wheel("mlx-cuda-12") : sdk;
    NativesBuild.say("2/5 fetching mlx-c " + NativePins.mlxcVersion());
    Path source = new MlxcSource(tools.cargo(), work).fetch();
    NativesBuild.say("3/5 compiling mlx-c");
    Path library = new MlxcBuild(tools, variant, work).build(source, sdk);
    gather(mlx, source, library);
    takeHeaders(sdk.resolve("mlx/include"), include);
    takeHeaders(source.resolve("mlx/c"), include.resolve("mlx/c"));
    describe(variant, files);
    OnceDirectory.delete(work);
  }

  /** Downloads one of MLX's wheels and unpacks it. */
  private Path wheel(String project) throws IOException {
    // A wheel for this very tag, whichever Python brings it: its checksum is pinned.
    String platform =
        variant == NativeVariant.MACOS_METAL ? "macosx_14_0_arm64" : "manylinux_2_35_x86_64";
    List<String> options =
        List.of("--platform", platform, "--python-version", "3.11", "--implementation", "cp");
    String requirement = project + "==" + NativePins.mlxVersion();
    Path wheel = tools.pip().download(requirement, options, work, work);
    verify(wheel);
    Path directory = work.resolve(project);
    Archive.extract(wheel, directory, name -> !name.endsWith(".py"));
    return directory;
  }

  static void verify(Path file) throws IOException {
    String expected = NativePins.sha256(file.getFileName().toString());
    String found = Sha256.of(file);
    if (!found.equals(expected)) {
      throw new IOException(
          file.getFileName() + " has SHA-256 " + found + ", pinned is " + expected);
    }
  }

  private void gather(Path mlx, Path source, Path library) throws IOException {
    take(library, files.resolve(LIB + variant.library()));
    try (Stream<Path> entries = Files.walk(mlx)) {
      for (Path file : entries.filter(Files::isRegularFile).toList()) {
        String name = mlx.relativize(file).toString();
        if (isNeeded(name)) {
          take(file, files.resolve(name));
        } else if (name.endsWith("dist-info/licenses/LICENSE")) {
          take(file, files.resolve("licenses/mlx"));
        }
      }
    }
    take(source.resolve("LICENSE"), files.resolve("licenses/mlx-c"));
    if (variant != NativeVariant.MACOS_METAL) {
      take(NOTICE, files.resolve("licenses/NOTICE"));
      replaceBlas();
    }
  }

  private static boolean isNeeded(String name) {
    boolean library = name.startsWith(LIB) && !name.startsWith(LIB + "cmake/");
    boolean bundled = name.matches("mlx_[a-z0-9_]+\\.libs/.*");
    // MLX compiles some CUDA kernels at run time and includes these.
    boolean kernelHeader = name.startsWith("mlx/include/cccl/");
    return library || bundled || kernelHeader;
  }

  /** Puts OpenBLAS under the name by which libmlx asks for the reference BLAS. */
  private void replaceBlas() throws IOException {
    verify(openblas);
    String inJar = "org/bytedeco/openblas/linux-x86_64/";
    List<String> taken = List.of("libopenblas.so.0", "libgfortran.so.5", "libquadmath.so.0");
    Path unpacked = work.resolve("openblas");
    Archive.extract(
        openblas,
        unpacked,
        name -> name.startsWith(inJar) && taken.contains(name.substring(inJar.length())));
    Path blas;
    try (Stream<Path> all = Files.walk(files)) {
      blas =
          all.filter(p -> p.getFileName().toString().startsWith("libblas-"))
              .findFirst()
              .orElseThrow(() -> new IOException("MLX's wheel holds no libblas to replace"));
    }
    for (String name : taken) {
      Path place = name.equals("libopenblas.so.0") ? blas : blas.resolveSibling(name);
      take(unpacked.resolve(inJar + name), place);
    }
  }

  private static void takeHeaders(Path from, Path to) throws IOException {
    try (Stream<Path> entries = Files.walk(from)) {
      for (Path file : entries.filter(p -> p.toString().endsWith(".h")).toList()) {
        take(file, to.resolve(from.relativize(file).toString()));
      }
    }
  }

  static void take(Path from, Path to) throws IOException {
    Files.createDirectories(to.getParent());
    Files.copy(from, to, StandardCopyOption.REPLACE_EXISTING);
  }

  /** Writes the manifest of natives that lie below {@code files}. */
  static void describe(NativeVariant variant, Path files) throws IOException {
    Map<String, String> versions = new TreeMap<>();
    versions.put("variant", variant.classifier());
    versions.put("mlx", NativePins.mlxVersion());
    versions.put("mlx-c", NativePins.mlxcVersion());
    if (variant != NativeVariant.MACOS_METAL) {
      versions.put("openblas", NativePins.openblasVersion());
    }
    List<String> names = new ArrayList<>();
    try (Stream<Path> all = Files.walk(files)) {
      all.filter(Files::isRegularFile)
          .filter(p -> !p.endsWith(NativeManifest.FILE_NAME))
          .map(p -> files.relativize(p).toString())
          .forEach(names::add);
    }
    NativeManifest manifest = NativeManifest.describe(files, names, versions);
    Files.writeString(files.resolve(NativeManifest.FILE_NAME), manifest.text());
  }
}
