package dev.semantic.mlx.capi.natives;

import dev.semantic.mlx.MlxException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.stream.Stream;

/** A build of the natives: for one operating system and processor, and one kind of device. */
public enum NativeVariant {
  LINUX_CPU("linux-x86_64", "libmlxc.so"),
  LINUX_CUDA("linux-x86_64-cuda12", "libmlxc.so"),
  MACOS_METAL("macos-aarch64", "libmlxc.dylib");

  /** {@code cuda} chooses MLX's CUDA build on Linux, when building and when running. */
  public static final String PROPERTY = "semantic.natives";

  private static final Path OWN_MEMORY_MAP = Path.of("/proc/self/maps");

  private final String classifier;
  private final String library;

  NativeVariant(String classifier, String library) {
    this.classifier = classifier;
    this.library = library;
  }

  /** As in the natives jar's classifier, after {@code natives-}. */
  public String classifier() {
    return classifier;
  }

  /** The file name of mlx-c's library. */
  public String library() {
    return library;
  }

  /** Where a natives jar keeps the manifest and the files. */
  public String resourceRoot() {
    return "dev/semantic/mlx/natives/" + classifier + "/";
  }

  /**
   * The variant for this JVM.
   *
   * @throws MlxException if MLX does not run here
   */
  public static NativeVariant current() {
    boolean musl = isMusl(OWN_MEMORY_MAP);
    return of(
        System.getProperty("os.name"),
        System.getProperty("os.arch"),
        musl,
        System.getProperty(PROPERTY, ""));
  }

  static NativeVariant of(String osName, String osArch, boolean musl, String wanted) {
    String os = osName.toLowerCase(Locale.ROOT);
    boolean arm = osArch.equals("aarch64") || osArch.equals("arm64");
    boolean intel = osArch.equals("amd64") || osArch.equals("x86_64");
    if (os.startsWith("mac") && arm) {
      return MACOS_METAL;
    }
    if (os.startsWith("linux") && intel) {
      if (musl) {
        throw new MlxException(
            "MLX needs glibc 2.35 or later, and this JVM runs on musl libc (Alpine?)."
                + " Use a glibc image, for example Debian 12 or Ubuntu 22.04, or later ones.");
      }
      return wanted.equals("cuda") ? LINUX_CUDA : LINUX_CPU;
    }
    throw new MlxException(
        "There are no MLX natives for "
            + osName
            + " on "
            + osArch
            + ": only Linux x86-64 and macOS arm64 are supported."
            + " With natives of your own, set -D"
            + NativeLibrary.OVERRIDE
            + "=<directory with mlx-c's library>.");
  }

  /** Whether the process with this memory map was started by musl's loader. */
  static boolean isMusl(Path memoryMap) {
    if (!Files.isReadable(memoryMap)) {
      return false; // not Linux
    }
    try (Stream<String> lines = Files.lines(memoryMap)) {
      return lines.anyMatch(line -> line.contains("/ld-musl-"));
    } catch (IOException e) {
      return false; // can't know; loading the library will tell
    }
  }
}
