package dev.semantic.mlx.models;

import static dev.semantic.mlx.testing.Refusal.assertRefused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.mlx.models.hub.FakeHub;
import dev.semantic.mlx.models.hub.RetryPolicy;
import dev.semantic.model.ModelException;
import dev.semantic.model.ModelId;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A hub's models in the catalogue: fetched, listed, resolved, verified, removed. */
class HubModelsTest {
  private static final ModelId MODEL = new ModelId("org/model");

  @TempDir Path home;
  private FakeHub hub;
  private HubSettings settings;
  private ModelCatalog catalog;

  @BeforeEach
  void open() throws IOException {
    hub = new FakeHub();
    hub.file("README.md", "---\nlicense: \"mit\"\n---\nlicense: none\n");
    hub.file("config.json", "{\"model_type\":\"llama\"}");
    hub.file("tokenizer.json", "{}");
    hub.large("model.safetensors", new byte[5000]);
    settings =
        new HubSettings(hub.endpoint(), home.resolve("hub"), Optional.of("hf_secret"), false);
    catalog = over(settings);
  }

  private ModelCatalog over(HubSettings other) {
    return new ModelCatalog(new UserCache(home.resolve("own"))).withHub(other);
  }

  @AfterEach
  void close() {
    hub.close();
  }

  private Path fetch(String name) {
    return fetcher(catalog).fetch(new ModelId(name), FetchProgress.NONE);
  }

  private static ModelFetcher fetcher(ModelCatalog over) {
    return new ModelFetcher(over, RetryPolicy.USUAL);
  }

  private Path snapshot(String commit) {
    return settings.cache().resolve("models--org--model/snapshots").resolve(commit);
  }

  @Test
  void aFetchedModelIsListedAndResolved() {
    Path path = fetch("org/model");
    assertEquals(path, catalog.resolve(MODEL));
    assertEquals(path, catalog.resolve(new ModelId("org/model@" + hub.commit)));
    AvailableModel model = catalog.available(m -> Optional.of(m.sizeBytes() < 6000)).getFirst();
    assertEquals("org/model", model.name());
    assertEquals(ModelSource.HUB, model.source());
    assertEquals(Optional.of("llama"), model.architecture());
    assertEquals(Optional.of("mit"), model.license());
    assertEquals(Optional.of(true), model.fits());
    assertTrue(model.complete());
    assertTrue(model.sizeBytes() > 5000);
  }

  @Test
  void whatIsHereAsksNoNetwork() {
    fetch("org/model");
    hub.asked.clear();
    fetcher(catalog).fetchIfMissing(MODEL, FetchProgress.NONE);
    assertEquals(List.of(), hub.asked);
    HubSettings offline =
        new HubSettings(settings.endpoint(), settings.cache(), settings.token(), true);
    fetcher(over(offline)).fetch(MODEL, FetchProgress.NONE);
    assertRefused(
        ModelException.class,
        () -> fetcher(over(offline)).fetch(new ModelId("org/other"), FetchProgress.NONE),
        "HF_HUB_OFFLINE",
        "org/other");
    assertEquals(List.of(), hub.asked, "offline is offline");
  }

  @Test
  void anUnfetchedModelSaysHow() {
    assertRefused(
        ModelException.class, () -> catalog.resolve(MODEL), "not here", "models fetch org/model");
    assertEquals(List.of(), hub.asked, "looking does not fetch");
  }

  @Test
  void eventsTellTheStory() {
    List<String> story = new ArrayList<>();
    List<Long> done = new ArrayList<>();
    fetcher(catalog)
        .fetch(
            MODEL,
            new FetchProgress() {
              @Override
              public void progress(long doneBytes, long totalBytes) {
                done.add(doneBytes);
                assertTrue(doneBytes <= totalBytes);
              }

              @Override
              public void event(FetchEvent event) {
                story.add(event.getClass().getSimpleName());
              }
            });
    assertEquals("Found", story.getFirst());
    assertEquals(4, story.stream().filter("Checking"::equals).count());
    assertEquals("Published", story.getLast());
    assertEquals(done.stream().sorted().toList(), done);
  }

  @Test
  void aFetchThatIsCalledOffIsCancelled() {
    FetchProgress unwanted =
        new FetchProgress() {
          @Override
          public void progress(long doneBytes, long totalBytes) {}

          @Override
          public boolean isCancelled() {
            return true;
          }
        };
    assertThrows(CancellationException.class, () -> fetcher(catalog).fetch(MODEL, unwanted));
    assertEquals(List.of(), catalog.available());
  }

  @Test
  void refusalsNameTheModelAndTheHubAndNoSecret() {
    hub.token = "another";
    ModelException refused =
        assertRefused(
            ModelException.class,
            () -> fetch("org/model"),
            "Cannot fetch org/model from http://localhost",
            "does not accept the token");
    for (Throwable t = refused; t != null; t = t.getCause()) {
      assertFalse(t.toString().contains("hf_secret"), t::toString);
    }
  }

  @Test
  void ofSeveralFilesOneIsNamed() throws IOException {
    hub.large("model-Q4.gguf", gguf(10)).large("model-Q4_K.gguf", gguf(20));
    fetch("org/model:model-Q4.gguf");
    fetch("org/model:model-Q4_K.gguf");
    assertEquals("model-Q4.gguf", file("org/model:model-q4.gguf"));
    assertEquals("model-Q4_K.gguf", file("org/model:Q4_K"));
    assertRefused(
        ModelException.class, () -> file("org/model:Q4"), "2 models", "org/model:model-Q4.gguf");
    fetch("org/model");
    assertEquals(hub.commit, file("org/model"), "the layout, beside them");
    assertEquals(3, catalog.available().size());
  }

  /** What begins as one, and is none. */
  private static byte[] gguf(int bytes) {
    return Arrays.copyOf("GGUF".getBytes(StandardCharsets.US_ASCII), bytes);
  }

  private String file(String name) {
    return catalog.resolve(new ModelId(name)).getFileName().toString();
  }

  @Test
  void aSnapshotThatIsNotWholeTellsWhatIsMissing() throws IOException {
    Path path = fetch("org/model");
    Files.delete(path.resolve("model.safetensors"));
    Files.delete(path.resolve("tokenizer.json"));
    assertRefused(
        ModelException.class,
        () -> catalog.resolve(MODEL),
        "not whole",
        "tokenizer.json, model.safetensors",
        "Fetch it again");
    AvailableModel model = catalog.available().getFirst();
    assertEquals(ModelState.PARTIAL, model.state());
    fetch("org/model");
    catalog.resolve(MODEL);
  }

  @Test
  void aLinkOutOfTheCacheIsNotFollowed() throws IOException {
    Path path = fetch("org/model");
    Path secret = Files.writeString(home.resolve("secret"), "{}");
    Files.delete(path.resolve("tokenizer.json"));
    Files.createSymbolicLink(path.resolve("tokenizer.json"), secret);
    assertRefused(
        ModelException.class, () -> catalog.resolve(MODEL), "outside of the cache", "secret");
    assertFalse(catalog.available().getFirst().complete());
    new ModelRemover(catalog).remove(MODEL);
    assertTrue(Files.exists(secret), "what lies elsewhere is not ours to delete");
  }

  @Test
  void verifyingFindsAByteThatChanged() throws IOException {
    Path path = fetch("org/model");
    ModelVerifier verifier = new ModelVerifier(catalog);
    assertTrue(
        verifier.verify(MODEL, FetchProgress.NONE).stream()
            .noneMatch(ModelVerifier.Checked::damaged));
    byte[] damaged = new byte[5000];
    damaged[4321] = 1;
    Files.write(path.resolve("model.safetensors"), damaged);
    List<String> found =
        verifier.verify(MODEL, FetchProgress.NONE).stream()
            .filter(ModelVerifier.Checked::damaged)
            .map(checked -> checked.file().getFileName().toString())
            .toList();
    assertEquals(List.of("model.safetensors"), found);
    assertEquals(5000, Files.size(path.resolve("model.safetensors")), "only looked at");
  }

  @Test
  void removingOneStateKeepsWhatTheOtherHas() throws IOException {
    Path before = fetch("org/model");
    String old = hub.commit;
    hub.commit = "e".repeat(40);
    hub.file("config.json", "{\"model_type\":\"qwen2\"}");
    Path after = fetch("org/model");
    ModelRemover remover = new ModelRemover(catalog);
    ModelId state = new ModelId("org/model@" + old);
    assertEquals(List.of(before), remover.plan(state).paths());
    assertEquals(22, remover.remove(state), "the old configuration");
    assertFalse(Files.exists(snapshot(old)));
    assertEquals(after, catalog.resolve(MODEL));
    assertEquals(4, new ModelVerifier(catalog).verify(MODEL, FetchProgress.NONE).size());
    remover.remove(MODEL);
    assertFalse(Files.exists(settings.cache().resolve("models--org--model")));
    assertRefused(ModelException.class, () -> remover.remove(MODEL), "nothing of org/model");
  }

  @Test
  void removingANameKeepsWhatHasAnother() throws IOException {
    Path state = fetch("org/model");
    fetch("org/model@v1");
    ModelRemover remover = new ModelRemover(catalog);
    ModelId tag = new ModelId("org/model@v1");
    Path note = settings.cache().resolve("models--org--model/refs/v1");
    assertEquals(List.of(note), remover.plan(tag).paths());
    assertEquals(0, remover.remove(tag));
    assertFalse(Files.exists(note));
    assertEquals(state, catalog.resolve(MODEL));
  }

  @Test
  void mainIsOneStateOfSeveral() throws IOException {
    fetch("org/model");
    hub.commit = "e".repeat(40);
    Path other = fetch("org/model@dev");
    new ModelRemover(catalog).remove(new ModelId("org/model@main"));
    assertEquals(other, catalog.resolve(new ModelId("org/model@dev")));
    assertRefused(ModelException.class, () -> catalog.resolve(MODEL), "not here");
  }

  /** Two states share what lies deep in both. */
  @Test
  void whatLiesDeepIsKeptForWhoNeedsIt() throws IOException {
    Path one = fetch("org/model");
    Path blob = one.resolve("model.safetensors").toRealPath();
    Path other = snapshot("e".repeat(40));
    Path deep = Files.createDirectories(other.resolve("a/b/c/d/e"));
    Files.createSymbolicLink(deep.resolve("copy"), blob);
    new ModelRemover(catalog).remove(new ModelId("org/model@main"));
    assertTrue(Files.exists(blob));
  }

  @Test
  void aRepositoryThatIsALinkIsNotDeletedThrough() throws IOException {
    fetch("org/model");
    Path repository = settings.cache().resolve("models--org--model");
    Path elsewhere = Files.move(repository, home.resolve("disk"));
    Files.createSymbolicLink(repository, elsewhere);
    catalog.resolve(MODEL);
    assertRefused(ModelException.class, () -> new ModelRemover(catalog).remove(MODEL), "is a link");
    assertTrue(Files.exists(elsewhere.resolve("refs/main")));
  }

  @Test
  void halfOfAFetchCanBeRemoved() throws IOException {
    Path blobs = settings.cache().resolve("models--org--model/blobs");
    Files.createDirectories(blobs);
    Files.write(blobs.resolve("a".repeat(64) + ".semantic.incomplete"), new byte[100]);
    assertEquals(100, new ModelRemover(catalog).remove(MODEL));
    try (Stream<Path> left = Files.list(settings.cache())) {
      assertEquals(List.of(".locks"), left.map(p -> p.getFileName().toString()).toList());
    }
  }
}
