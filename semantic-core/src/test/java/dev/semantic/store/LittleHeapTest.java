package dev.semantic.store;

import static dev.semantic.store.Snapshots.ALPHA;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.kv.AgentId;
import dev.semantic.kv.KvSnapshot;
import dev.semantic.model.KvLayout;
import dev.semantic.model.KvPrecision;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A cache need not fit into the heap of whoever looks after it. */
class LittleHeapTest {
  private static final AgentId ANNA = new AgentId("anna");

  @TempDir Path directory;

  /** Verifies and exports the only cache of a directory. */
  public static final class Keeper {
    private Keeper() {}

    public static void main(String[] arguments) {
      CacheView view = CacheView.of(Path.of(arguments[0]));
      CacheEntry entry = view.list().getFirst();
      System.out.println(view.verify(entry));
      System.out.println(view.export(entry, Path.of(arguments[1])));
      System.out.println(Runtime.getRuntime().maxMemory());
    }
  }

  @Test
  void isVerifiedAndExportedALayerAtATime() throws Exception {
    KvSnapshot large =
        Snapshots.of(ALPHA, KvLayout.uniform(40, 4, 64), KvPrecision.FLOAT32, 700, 3);
    Path here = directory.resolve("here");
    try (DiskCacheStore store = DiskCacheStore.open(here)) {
      store.park(ANNA, large);
    }
    Path parcel = directory.resolve("parcel.kv");
    Process keeper =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx24m",
                "-XX:+UseSerialGC",
                "-cp",
                System.getProperty("java.class.path"),
                Keeper.class.getName(),
                here.toString(),
                parcel.toString())
            .redirectError(Redirect.DISCARD)
            .start();
    List<String> said =
        new String(keeper.getInputStream().readAllBytes(), StandardCharsets.UTF_8).lines().toList();
    assertTrue(keeper.waitFor(1, TimeUnit.MINUTES), "it never ended");
    assertEquals(0, keeper.exitValue(), said::toString);
    assertEquals("Optional.empty", said.getFirst());
    assertTrue(Long.parseLong(said.getLast()) < large.bytes() / 2, () -> said + " is not little");
    try (DiskCacheStore store = DiskCacheStore.open(directory.resolve("there"))) {
      store.importFrom(CacheImport.of(parcel));
      Snapshots.assertSame(large, store.load(ANNA, ALPHA).orElseThrow());
    }
  }
}
