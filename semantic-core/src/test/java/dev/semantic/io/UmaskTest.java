package dev.semantic.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.journal.FileSwapJournal;
import dev.semantic.journal.SwapEntry;
import dev.semantic.kv.AgentId;
import dev.semantic.model.KvPrecision;
import dev.semantic.store.AgentRecords;
import dev.semantic.store.CacheView;
import dev.semantic.store.DiskCacheStore;
import dev.semantic.store.Snapshots;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a process makes is its owner's only, whatever mask it was given. */
@EnabledOnOs({OS.LINUX, OS.MAC})
class UmaskTest {
  @TempDir Path directory;

  @ParameterizedTest
  @ValueSource(strings = {"000", "002", "022", "077"})
  void everythingIsItsOwnersOnly(String mask) throws Exception {
    Path root = directory.resolve("deep/root");
    Path java = Path.of(System.getProperty("java.home"), "bin", "java");
    Process process =
        new ProcessBuilder(
                "/bin/sh",
                "-c",
                "umask " + mask + " && exec \"$0\" -cp \"$1\" \"$2\" \"$3\"",
                java.toString(),
                System.getProperty("java.class.path"),
                Program.class.getName(),
                root.toString())
            .redirectErrorStream(true)
            .start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertTrue(process.waitFor(1, TimeUnit.MINUTES));
    assertEquals(0, process.exitValue(), said);
    int files = 0;
    try (Stream<Path> all = Files.walk(directory.resolve("deep"))) {
      for (Path path : all.toList()) {
        String mode = PosixFilePermissions.toString(Files.getPosixFilePermissions(path));
        boolean isDirectory = Files.isDirectory(path);
        files += isDirectory ? 0 : 1;
        assertEquals(isDirectory ? "rwx------" : "rw-------", mode, path.toString());
      }
    }
    assertTrue(files >= 6, () -> "there is more than that");
  }

  /** Makes one of each. */
  static final class Program {
    private Program() {}

    public static void main(String[] arguments) throws IOException {
      Path root = Path.of(arguments[0]);
      try (DiskCacheStore store = DiskCacheStore.open(root)) {
        store.park(
            new AgentId("ada"),
            Snapshots.of(Snapshots.ALPHA, Snapshots.MIXED, KvPrecision.FLOAT16, 600, 1));
        store.park(new AgentId("bob"), Snapshots.small(Snapshots.BETA, 1));
        store.maintenance().archive(store.maintenance().list().getFirst());
        CacheView view = CacheView.of(root);
        view.export(view.list().getFirst(), root.resolve("export.kv"));
      }
      AgentRecords.in(root.resolve("conversations")).write(new AgentId("ada"), "[]");
      try (FileSwapJournal journal = FileSwapJournal.open(root.resolve("swap.journal"))) {
        journal.begun(new SwapEntry("1", Instant.EPOCH, Optional.empty(), Optional.empty()));
      }
    }
  }
}
