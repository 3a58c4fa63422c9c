package dev.semantic.mlx.isolated;

import dev.semantic.mlx.array.CpuKernels;
import dev.semantic.mlx.capi.ProcessEnd;
import dev.semantic.mlx.capi.natives.NativeLibrary;
import dev.semantic.mlx.capi.natives.NativeVariant;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Stream;

/**
 * What a child has of its host's environment and properties: what its work depends on. The host's
 * secrets aren't among that; anybody can read a process's arguments, and its environment goes on to
 * whatever it crashes into.
 */
final class WorkerEnvironment {
  private static final Set<String> VARIABLES =
      Set.of(
          "PATH",
          "HOME",
          "USER",
          "LOGNAME",
          "LANG",
          "TZ",
          "TMPDIR",
          "SEMANTIC_HOME",
          "XDG_CACHE_HOME",
          "HF_HOME",
          "HF_HUB_CACHE",
          "HF_HUB_OFFLINE",
          "HUGGINGFACE_HUB_CACHE",
          "RUST_LIBRARY_PATH",
          "GLIBC_TUNABLES");

  /** Of the loader, the locale, and of what computes. */
  private static final List<String> PREFIXES =
      List.of(
          "LC_",
          "LD_",
          "DYLD_",
          "MALLOC_",
          "MLX_",
          "OPENBLAS_",
          "GOTO_",
          "OMP_",
          "CUDA",
          "NVIDIA_",
          "MTL_",
          "METAL_");

  private static final List<String> PROPERTIES =
      List.of(
          NativeLibrary.OVERRIDE,
          NativeVariant.PROPERTY,
          ProcessEnd.PROPERTY,
          CpuKernels.PROPERTY,
          "semantic.mlx.device",
          "java.io.tmpdir",
          "user.home",
          "java.library.path");

  private WorkerEnvironment() {}

  /** Takes out what the child has no need of. */
  static void keepNeeded(Map<String, String> environment) {
    environment
        .keySet()
        .removeIf(
            name -> !VARIABLES.contains(name) && PREFIXES.stream().noneMatch(name::startsWith));
  }

  /** As options of the child's JVM. */
  static Stream<String> properties() {
    return PROPERTIES.stream()
        .filter(name -> Objects.nonNull(System.getProperty(name)))
        .map(name -> "-D" + name + "=" + System.getProperty(name));
  }
}
