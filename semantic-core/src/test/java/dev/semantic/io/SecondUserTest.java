package dev.semantic.io;

import static dev.semantic.scripted.ScriptedHost.assertSays;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.semantic.journal.FileSwapJournal;
import dev.semantic.journal.SwapEntry;
import dev.semantic.kv.AgentId;
import dev.semantic.store.AgentRecords;
import dev.semantic.store.CacheException;
import dev.semantic.store.CacheView;
import dev.semantic.store.DiskCacheStore;
import dev.semantic.store.Snapshots;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Another user's process beside ours, on one machine; only root can start one. */
@EnabledOnOs(OS.LINUX)
class SecondUserTest {
  private static final String OTHER = "65534";
  private static final Path SETPRIV = Path.of("/usr/bin/setpriv");
  private static final Pattern NEEDED = Pattern.compile("jackson|caffeine|slf4j|logback");
  private static final AgentId ADA = new AgentId("ada");

  @TempDir Path directory;

  @BeforeEach
  void reachable() throws IOException {
    assumeTrue(
        "root".equals(System.getProperty("user.name")) && Files.isExecutable(SETPRIV),
        "SKIPPED: only root can start another user's process, with setpriv");
    Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  @Test
  void findsNothingOfOursThatItMayReadAndIsToldSo() throws Exception {
    Path root = directory.resolve("root");
    Path parcel = directory.resolve("export.kv");
    Path conversations = directory.resolve("conversations");
    Path journal = directory.resolve("swap.journal");
    try (DiskCacheStore store = DiskCacheStore.open(root)) {
      store.park(ADA, Snapshots.small(Snapshots.ALPHA, 1));
      CacheView view = CacheView.of(root);
      view.export(view.list().getFirst(), parcel);
    }
    AgentRecords.in(conversations).write(ADA, "[]");
    try (FileSwapJournal ours = FileSwapJournal.open(journal)) {
      ours.begun(new SwapEntry("1", Instant.EPOCH, Optional.empty(), Optional.empty()));
    }
    List<String> all = new ArrayList<>(List.of("look"));
    for (Path ours : List.of(root, parcel, conversations, journal)) {
      try (Stream<Path> below = Files.walk(ours)) {
        below.map(Path::toString).forEach(all::add);
      }
    }
    assertTrue(all.size() >= 8, () -> "there is more than " + all);
    List<String> said = another(all);
    assertEquals(List.of(), said.stream().filter(line -> line.startsWith("may ")).toList());
    assertTold("store", "choose a directory of its own", said);
    assertTold("records", "choose a directory of its own", said);
    assertTold("journal", "choose a directory of its own", said);
    assertTold("view", "may this user read it?", said);
    try (DiskCacheStore store = DiskCacheStore.open(root)) {
      Snapshots.assertSame(
          Snapshots.small(Snapshots.ALPHA, 1), store.load(ADA, Snapshots.ALPHA).orElseThrow());
    }
  }

  private static void assertTold(String port, String remedy, List<String> said) {
    String answer =
        said.stream().filter(line -> line.startsWith(port + ": ")).findFirst().orElseThrow();
    assertTrue(answer.contains(remedy), answer);
  }

  @Test
  void whatItMadeBeforeUsIsRefused() throws Exception {
    Path mine = Files.writeString(directory.resolve("mine"), "precious");
    Path shared = Files.createDirectory(directory.resolve("shared"));
    Files.setPosixFilePermissions(shared, PosixFilePermissions.fromString("rwxrwxrwx"));
    Path root = shared.resolve("root");
    Path conversations = shared.resolve("conversations");
    another(List.of("make", root.toString(), conversations.toString(), mine.toString()));
    assertTrue(Files.isSymbolicLink(root.resolve(".lock")), "it made nothing");
    assertSays(
        "choose a directory of its own",
        assertThrows(CacheException.class, () -> DiskCacheStore.open(root)));
    AgentRecords records = AgentRecords.in(conversations);
    assertSays(
        "choose a directory of its own",
        assertThrows(CacheException.class, () -> records.write(ADA, "[]")));
    assertEquals("precious", Files.readString(mine));
  }

  /** Runs {@link Program} as the other user, from copies of its classes that it may read. */
  private List<String> another(List<String> arguments) throws Exception {
    Path classes = Files.createDirectories(directory.resolve("classes"));
    List<String> path = new ArrayList<>();
    for (String entry : System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
      if (Files.isDirectory(Path.of(entry)) || NEEDED.matcher(entry).find()) {
        Path copy = classes.resolve(Integer.toString(path.size()));
        path.add(readable(Path.of(entry), copy).toString());
      }
    }
    List<String> command =
        new ArrayList<>(
            List.of(
                SETPRIV.toString(),
                "--reuid=" + OTHER,
                "--regid=" + OTHER,
                "--clear-groups",
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                String.join(File.pathSeparator, path),
                Program.class.getName()));
    command.addAll(arguments);
    Process process =
        new ProcessBuilder(command).directory(directory.toFile()).redirectErrorStream(true).start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertTrue(process.waitFor(1, TimeUnit.MINUTES));
    assertEquals(0, process.exitValue(), said);
    return said.lines().toList();
  }

  private static Path readable(Path from, Path to) throws IOException {
    if (!Files.isDirectory(from)) {
      Path jar = Files.copy(from, to.resolveSibling(to.getFileName() + ".jar"));
      return Files.setPosixFilePermissions(jar, PosixFilePermissions.fromString("rw-r--r--"));
    }
    Files.walkFileTree(
        from,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult preVisitDirectory(Path dir, BasicFileAttributes its)
              throws IOException {
            Path copy = Files.createDirectories(to.resolve(from.relativize(dir).toString()));
            Files.setPosixFilePermissions(copy, PosixFilePermissions.fromString("rwxr-xr-x"));
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes its) throws IOException {
            Path copy = Files.copy(file, to.resolve(from.relativize(file).toString()));
            Files.setPosixFilePermissions(copy, PosixFilePermissions.fromString("rw-r--r--"));
            return FileVisitResult.CONTINUE;
          }
        });
    return to;
  }

  /** The other user's. */
  static final class Program {
    private Program() {}

    public static void main(String[] arguments) throws IOException {
      switch (arguments[0]) {
        case "look" -> look(Stream.of(arguments).skip(1).map(Path::of).toList());
        case "make" -> make(Path.of(arguments[1]), Path.of(arguments[2]), Path.of(arguments[3]));
        default -> throw new IllegalArgumentException(arguments[0]);
      }
    }

    private static void look(List<Path> all) {
      for (Path path : all) {
        if (Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS)) {
          if (path.toFile().list() != null) {
            System.out.println("may list " + path);
          }
          attempt("may write to " + path, () -> Files.createFile(path.resolve("theirs")));
        } else {
          attempt("may read " + path, () -> Files.readAllBytes(path));
          attempt("may replace " + path, () -> Files.write(path, new byte[1]));
        }
        attempt("may remove " + path, () -> Files.delete(path));
      }
      Path root = all.getFirst();
      refused("store", () -> DiskCacheStore.open(root).close());
      refused("view", () -> CacheView.of(root).list());
      refused("records", () -> AgentRecords.in(root.resolveSibling("conversations")).read(ADA));
      refused("journal", () -> FileSwapJournal.open(root.resolveSibling("swap.journal")).close());
    }

    private static void make(Path root, Path conversations, Path target) throws IOException {
      Files.createDirectory(conversations);
      Files.createDirectory(root);
      Files.createSymbolicLink(root.resolve(".lock"), target);
    }

    private interface Deed {
      void doIt() throws IOException;
    }

    private static void attempt(String what, Deed deed) {
      try {
        deed.doIt();
        System.out.println(what);
      } catch (IOException e) {
        System.out.println("not: " + e);
      }
    }

    private static void refused(String port, Deed deed) {
      try {
        deed.doIt();
        System.out.println("may use the " + port);
      } catch (IOException | RuntimeException e) {
        System.out.println(port + ": " + e.getMessage());
      }
    }
  }
}
