package dev.semantic.mlx.tokenizer;

import static dev.semantic.mlx.testing.Refusal.assertRefused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.mlx.files.ModelDirectory;
import dev.semantic.mlx.files.Sha256;
import dev.semantic.mlx.models.UserCache;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.SocketTimeoutException;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Nobody but us says which tokenizer library is loaded, and none comes from the internet. */
class TokenizerLibraryTest {
  private static final String FILE = System.mapLibraryName("tokenizers");

  @TempDir Path directory;
  private Path model;
  private Path tmp;

  @BeforeEach
  void aTokenizer() throws Exception {
    tmp = Files.createDirectory(directory.resolve("tmp"));
    model = Files.createDirectory(directory.resolve("model"));
    for (String file : List.of("tokenizer.json", "tokenizer_config.json")) {
      URL from =
          Objects.requireNonNull(getClass().getResource("/tokenizers/byte-level/" + file), file);
      Files.copy(Path.of(from.toURI()), model.resolve(file));
    }
    Files.writeString(model.resolve("config.json"), "{\"eos_token_id\": 0}");
  }

  private String tokens() {
    try (ChatTokenizer text = Tokenizers.open(ModelDirectory.of(model)).get()) {
      return "tokens " + Arrays.toString(text.encode(TokenizerProgram.TEXT, false));
    }
  }

  /** A child that must tokenise; what it said. */
  private List<String> child(Map<String, String> environment, String... options) throws Exception {
    List<String> command =
        new ArrayList<>(List.of("/bin/sh", "-c", "umask 000; exec \"$0\" \"$@\""));
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-XX:TieredStopAtLevel=1", "-Djava.io.tmpdir=" + tmp));
    command.addAll(List.of(options));
    command.addAll(List.of("--enable-native-access=ALL-UNNAMED", "-classpath"));
    command.add(System.getProperty("java.class.path"));
    command.addAll(List.of(TokenizerProgram.class.getName(), model.toString()));
    ProcessBuilder builder = new ProcessBuilder(command);
    Path log = directory.resolve("log");
    builder.redirectError(log.toFile());
    Stream.of("SEMANTIC_HOME", "XDG_CACHE_HOME").forEach(builder.environment()::remove);
    builder.environment().putAll(environment);
    Process process = builder.start();
    try {
      String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      assertTrue(process.waitFor(60, TimeUnit.SECONDS));
      assertEquals(0, process.exitValue(), () -> said + read(log));
      return said.lines().toList();
    } finally {
      process.destroyForcibly();
    }
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      return e.toString();
    }
  }

  /** Where the library itself looks, under all names that it may have there. */
  private void plant(Path djl) throws IOException {
    String version;
    try (var in =
        Objects.requireNonNull(
            Tokenizers.class.getResourceAsStream("/native/lib/tokenizers.properties"))) {
      version = new String(in.readAllBytes(), StandardCharsets.UTF_8).strip().split("=", 2)[1];
    }
    for (String flavor : List.of("cpu", "cu124")) {
      for (String platform : List.of("linux-x86_64", "osx-aarch64")) {
        Path place = djl.resolve("tokenizers/%s-%s-%s".formatted(version, flavor, platform));
        Files.createDirectories(place);
        Files.writeString(place.resolve(FILE), "another user's");
      }
    }
  }

  @Test
  void whatLiesInTheTemporaryDirectoryIsNotLoaded() throws Exception {
    Path noHome = Files.writeString(directory.resolve("no-home"), "in the way");
    plant(tmp.resolve(".djl.ai"));
    plant(tmp);
    List<String> said =
        child(
            Map.of("HOME", noHome.toString()),
            "-Duser.home=" + noHome,
            "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn");
    assertEquals(tokens(), said.getFirst());
    assertTrue(read(directory.resolve("log")).contains("SEMANTIC_HOME"));
    assertTrue(said.stream().noneMatch(line -> line.contains(".djl.ai")), said.toString());
    try (Stream<Path> left = Files.list(tmp)) {
      assertTrue(left.noneMatch(path -> path.getFileName().toString().startsWith("semantic-")));
    }
  }

  @Test
  void itLiesBelowSemanticHomeForItsOwnerOnly() throws Exception {
    Path home = directory.resolve("semantic");
    Path djl = Files.createDirectory(directory.resolve("home"));
    plant(djl.resolve(".djl.ai"));
    List<String> said = child(Map.of("SEMANTIC_HOME", home.toString()), "-Duser.home=" + djl);
    assertEquals(tokens(), said.getFirst());
    Path natives = new UserCache(home).natives();
    assertTrue(
        said.stream().skip(1).allMatch(line -> line.startsWith("loaded " + natives)),
        said.toString());
    try (Stream<Path> all = Files.walk(home)) {
      for (Path path : all.toList()) {
        assertFalse(
            PosixFilePermissions.toString(Files.getPosixFilePermissions(path))
                    .matches("...(.w....|....w.)")
                && !path.toString().endsWith(".lock"),
            path::toString);
      }
    }
    assertEquals(
        "rwx------", PosixFilePermissions.toString(Files.getPosixFilePermissions(natives)));
  }

  /** As where CUDA is found, or asked for by name. */
  @Test
  void nothingIsFetchedWhereThereIsCuda() throws Exception {
    try (ServerSocket internet = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
      internet.setSoTimeout(1);
      List<String> said =
          child(
              Map.of("RUST_FLAVOR", "cu124", "SEMANTIC_HOME", directory.resolve("s").toString()),
              "-Duser.home=" + directory,
              "-Dhttps.proxyHost=127.0.0.1",
              "-Dhttps.proxyPort=" + internet.getLocalPort());
      assertEquals(tokens(), said.getFirst());
      assertThrows(SocketTimeoutException.class, internet::accept, "somebody asked the internet");
    }
  }

  private Path keep() throws IOException {
    Path packed = Files.writeString(directory.resolve("packed"), "a library");
    return TokenizerLibrary.keep(
        new UserCache(directory.resolve("cache")), packed.toUri().toURL(), Sha256.of(packed));
  }

  @Test
  void whatIsKeptIsComparedWithWhatWasPacked() throws IOException {
    Path kept = keep();
    Files.writeString(kept, "A LIBRARY");
    assertEquals(kept, keep());
    assertEquals("a library", Files.readString(kept));
  }

  @Test
  @EnabledOnOs({OS.LINUX, OS.MAC})
  void othersLoseTheRightToWriteThere() throws IOException {
    Path kept = keep();
    Path home = Objects.requireNonNull(kept.getParent());
    for (Path open : List.of(kept, home, new UserCache(directory.resolve("cache")).natives())) {
      Files.setPosixFilePermissions(open, PosixFilePermissions.fromString("rwxrwxrwx"));
      keep();
      assertEquals("rwxr-xr-x", PosixFilePermissions.toString(Files.getPosixFilePermissions(open)));
    }
  }

  @Test
  @EnabledOnOs({OS.LINUX, OS.MAC})
  void aLinkIsNotFollowed() throws IOException {
    Path home = Objects.requireNonNull(keep().getParent());
    Path elsewhere = Files.move(home, directory.resolve("elsewhere"));
    Files.createSymbolicLink(home, elsewhere);
    assertRefused(FileSystemException.class, this::keep, home.toString(), "link");
  }
}
