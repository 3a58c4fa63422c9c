package dev.semantic.mlx.capi.natives;

import dev.semantic.mlx.files.Sha256;
import dev.semantic.mlx.models.UserCache;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Properties;
import java.util.TreeSet;

/**
 * The versions this library is made for and the checksums of the parts its natives are built from;
 * the build takes the versions from the parent pom.
 */
public final class NativePins {
  /** A resource beside this class, written by the build: which natives of ours belong to it. */
  public static final String KERNELS = "kernels.properties";

  private static final Properties PINS = read("pins.properties");
  private static final Properties WITH_KERNELS = withKernels();

  private NativePins() {}

  private static Properties withKernels() {
    Properties all = read(KERNELS);
    all.putAll(PINS);
    return all;
  }

  private static Properties read(String name) {
    Properties pins = new Properties();
    try (InputStream in = NativePins.class.getResourceAsStream(name)) {
      if (in == null) {
        throw new IllegalStateException(name + " is missing beside NativePins: rebuild with mvn");
      }
      pins.load(in);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return pins;
  }

  /** The only MLX version that mlx-c and this binding fit. */
  public static String mlxVersion() {
    return get("mlx");
  }

  /** The mlx-c version whose prototypes are bound. */
  public static String mlxcVersion() {
    return get("mlx-c");
  }

  /** The OpenBLAS that takes the place of the reference BLAS on Linux. */
  public static String openblasVersion() {
    return get("openblas");
  }

  /**
   * The pinned checksum of a downloaded file.
   *
   * @throws IllegalStateException if there is none: a version was raised without its checksums
   */
  public static String sha256(String fileName) {
    return get(fileName);
  }

  /** The directory in which the build puts the natives that these pins give, and their jar. */
  public static Path directory(UserCache cache, NativeVariant variant) {
    return cache.natives().resolve(key(variant));
  }

  /** The directory in which the build keeps the parts that are others', and their headers. */
  public static Path parts(UserCache cache, NativeVariant variant) {
    return cache.natives().resolve(named(variant, "-parts-", PINS));
  }

  /** The directory in which the build keeps llguidance, compiled. */
  public static Path grammar(UserCache cache, NativeVariant variant) {
    Properties own = new Properties();
    own.setProperty("grammar", WITH_KERNELS.getProperty("grammar"));
    return cache.natives().resolve(named(variant, "-grammar-", own));
  }

  /** The root of the built natives' files, with their manifest. */
  public static Path files(UserCache cache, NativeVariant variant) {
    return directory(cache, variant).resolve("files");
  }

  /** Names the natives for one variant: changes when any pin or kernel changes. */
  static String key(NativeVariant variant) {
    return named(variant, "-", WITH_KERNELS);
  }

  private static String named(NativeVariant variant, String middle, Properties pins) {
    StringBuilder text = new StringBuilder(variant.classifier());
    for (String name : new TreeSet<>(pins.stringPropertyNames())) {
      text.append('\n').append(name).append('=').append(pins.getProperty(name));
    }
    return variant.classifier() + middle + Sha256.of(text.toString()).substring(0, 16);
  }

  private static String get(String name) {
    String value = PINS.getProperty(name);
    if (value == null) {
      throw new IllegalStateException(
          "pins.properties has no line for " + name + ". Were the versions changed without it?");
    }
    return value;
  }
}
