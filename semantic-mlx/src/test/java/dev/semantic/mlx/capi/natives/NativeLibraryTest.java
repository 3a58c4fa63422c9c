package dev.semantic.mlx.capi.natives;

import static dev.semantic.mlx.testing.Refusal.assertRefused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.semantic.mlx.MlxException;
import dev.semantic.mlx.models.UserCache;
import dev.semantic.mlx.testing.RequiresNatives;
import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NativeLibraryTest {
  private static final Path NO_HOMEBREW = Path.of("no", "homebrew");

  @TempDir Path home;

  private Path find(UserCache cache, Path... jars) throws IOException {
    List<URL> urls = new ArrayList<>();
    for (Path jar : jars) {
      urls.add(jar.toUri().toURL());
    }
    try (URLClassLoader resources = new URLClassLoader(urls.toArray(URL[]::new), null)) {
      return new NativeLibrary(cache, resources, FakeNatives.VARIANT, NO_HOMEBREW).find();
    }
  }

  private UserCache cache() {
    return new UserCache(home.resolve("cache"));
  }

  @Test
  void theJarIsUnpackedIntoThePrivateCache() throws IOException {
    Path library = find(cache(), FakeNatives.jar(home));
    assertTrue(library.startsWith(cache().natives()));
    assertEquals("content of " + FakeNatives.LIBRARY, Files.readString(library));
    assertTrue(Files.exists(library.resolveSibling("libmlx.so")));
    assertEquals(
        "rwx------",
        java.nio.file.attribute.PosixFilePermissions.toString(
            Files.getPosixFilePermissions(cache().natives())));
  }

  /** What is verified may be another's by the time that the system loads it. */
  @Test
  void nothingIsLoadedThatAnotherUserMayExchange() throws IOException {
    Path jar = FakeNatives.jar(home);
    Path library = find(cache(), jar);
    assumeTrue(
        ((Number) Files.getAttribute(library, "unix:uid")).intValue() == 0,
        "SKIPPED: only root can give a directory away");
    for (Path theirs = library;
        theirs.startsWith(cache().root());
        theirs = Objects.requireNonNull(theirs.getParent())) {
      Files.setAttribute(theirs, "unix:uid", 54321);
      assertRefused(MlxException.class, () -> find(cache(), jar), "belongs to user 54321");
      Files.setAttribute(theirs, "unix:uid", 0);
      assertEquals(library, find(cache(), jar));
    }
  }

  @Test
  void aDamagedOrMissingFileIsUnpackedAgain() throws IOException {
    Path jar = FakeNatives.jar(home);
    Path library = find(cache(), jar);
    Files.writeString(library, "CONTENT of " + FakeNatives.LIBRARY); // same length
    assertEquals(library, find(cache(), jar));
    assertEquals("content of " + FakeNatives.LIBRARY, Files.readString(library));
    Files.delete(library.resolveSibling("libmlx.so"));
    find(cache(), jar);
    assertTrue(Files.exists(library.resolveSibling("libmlx.so")));
  }

  @Test
  void twoJvmsThatStartTogetherUnpackOnce() throws Exception {
    Path jar = FakeNatives.jar(home);
    List<Process> jvms = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      jvms.add(
          new ProcessBuilder(
                  Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                  "-classpath",
                  System.getProperty("java.class.path"),
                  UnpackingProgram.class.getName(),
                  cache().root().toString(),
                  jar.toString())
              .redirectError(ProcessBuilder.Redirect.DISCARD)
              .start());
    }
    List<String> found = new ArrayList<>();
    for (Process jvm : jvms) {
      found.add(new String(jvm.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip());
      assertEquals(0, jvm.waitFor());
    }
    assertEquals(1, found.stream().distinct().count(), found.toString());
    assertEquals("content of " + FakeNatives.LIBRARY, Files.readString(Path.of(found.getFirst())));
    try (Stream<Path> entries = Files.list(cache().natives())) {
      assertEquals(2, entries.count(), "the directory and its lock, and no leftovers");
    }
  }

  @Test
  void aJarWhoseManifestLiesIsRefusedAndLeavesNothing() throws IOException {
    Path jar = FakeNatives.jar(home, true);
    assertRefused(
        MlxException.class,
        () -> find(cache(), jar),
        "natives jar is damaged",
        "SHA-256",
        "expected");
    try (Stream<Path> entries = Files.list(cache().natives())) {
      assertTrue(entries.allMatch(p -> p.toString().endsWith(".lock")));
    }
  }

  @Test
  void aCacheThatCannotBeWrittenIsNamed() throws IOException {
    Path jar = FakeNatives.jar(home);
    Path file = Files.writeString(home.resolve("file"), "in the way");
    UserCache blocked = new UserCache(file);
    assertRefused(MlxException.class, () -> find(blocked, jar), file.toString(), "SEMANTIC_HOME");
  }

  @Test
  void withoutAnyNativesTheMessageSaysWhatToDo() {
    assertRefused(
        MlxException.class,
        () -> find(cache()),
        "natives-linux-x86_64",
        "dev.semantic:semantic-mlx",
        "-Dsemantic.mlx.library",
        cache().root().toString());
  }

  @Test
  void nativesThatTheBuildLeftAreFoundAndVerified() throws IOException {
    FakeNatives.jar(home);
    Path built = NativePins.files(cache(), FakeNatives.VARIANT);
    Files.createDirectories(built.getParent());
    Files.move(home.resolve("fake"), built);
    NativeManifest manifest =
        NativeManifest.describe(built, List.of(FakeNatives.LIBRARY), java.util.Map.of());
    Files.writeString(built.resolve(NativeManifest.FILE_NAME), manifest.text());
    Path library = find(cache());
    assertEquals(built.resolve(FakeNatives.LIBRARY), library);
    Files.writeString(library, "shorter");
    assertRefused(MlxException.class, () -> find(cache()), "damaged", library.toString());
  }

  @Test
  void anOverrideMustHoldTheLibrary() throws IOException {
    assertRefused(
        MlxException.class,
        () -> NativeLibrary.inOverride(home),
        home.toString(),
        "-Dsemantic.mlx.library");
    Path library = home.resolve("mlx/lib").resolve(System.mapLibraryName("mlxc"));
    Files.createDirectories(library.getParent());
    Files.writeString(library, "");
    assertEquals(library, NativeLibrary.inOverride(home));
    assertEquals(library, NativeLibrary.inOverride(home.resolve("mlx/lib")));
  }

  @Test
  void homebrewCountsOnlyInTheBoundVersion() throws IOException {
    String fitting = NativePins.mlxcVersion() + "_1";
    Path library = homebrew(fitting);
    NativeLibrary found = onMac(home.resolve("opt-" + fitting));
    assertEquals(library.toRealPath(), found.find().toRealPath());
    homebrew("0.1.0");
    assertRefused(
        MlxException.class,
        () -> onMac(home.resolve("opt-0.1.0")).find(),
        "version 0.1.0",
        NativePins.mlxcVersion());
  }

  private Path homebrew(String version) throws IOException {
    Path cellar = home.resolve("Cellar/mlx-c").resolve(version);
    Files.createDirectories(cellar.resolve("lib"));
    Files.createSymbolicLink(home.resolve("opt-" + version), cellar);
    return Files.writeString(cellar.resolve("lib/libmlxc.dylib"), "");
  }

  private NativeLibrary onMac(Path homebrew) {
    ClassLoader empty = new URLClassLoader(new URL[0], null);
    return new NativeLibrary(cache(), empty, NativeVariant.MACOS_METAL, homebrew);
  }

  @Test
  void whatIsNoLibraryIsRefusedWithTheSystemsReason() throws IOException {
    Path file = Files.writeString(home.resolve("libmlxc.so"), "not a library at all");
    assertRefused(
        MlxException.class, () -> NativeLibrary.load(file), file.toString(), "too short", "noexec");
  }

  @Test
  @RequiresNatives
  void theRealLibraryIsFoundAndLoads() {
    assertTrue(NativeLibrary.load().mlxc().find("mlx_version").isPresent());
  }
}
