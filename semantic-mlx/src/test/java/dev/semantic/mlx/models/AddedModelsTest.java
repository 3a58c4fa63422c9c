package dev.semantic.mlx.models;

import static dev.semantic.mlx.testing.Refusal.assertRefused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.semantic.model.ModelException;
import dev.semantic.model.ModelId;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Models in directories that were added, and files that lie among our own. */
class AddedModelsTest {
  @TempDir Path home;
  private Path shelf;
  private UserCache cache;
  private ModelCatalog catalog;

  @BeforeEach
  void aShelf() throws IOException {
    shelf = Files.createDirectories(home.resolve("shelf"));
    cache = new UserCache(home.resolve("own"));
    catalog = new ModelCatalog(cache);
  }

  private static Path layout(Path directory, String... more) throws IOException {
    Files.createDirectories(directory);
    Files.writeString(directory.resolve("config.json"), "{\"model_type\":\"qwen2\"}");
    Files.writeString(directory.resolve("tokenizer.json"), "{}");
    for (String name : more) {
      Files.writeString(directory.resolve(name), "12345");
    }
    return directory;
  }

  private static Path gguf(Path file) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(500).order(ByteOrder.LITTLE_ENDIAN);
    bytes.put("GGUF".getBytes(StandardCharsets.US_ASCII)).putInt(3).putLong(0).putLong(3);
    text(bytes, "general.quantization_version").putInt(4).putInt(2);
    text(text(bytes, "general.architecture").putInt(8), "gemma3");
    text(text(bytes, "general.license").putInt(8), "gemma");
    Files.createDirectories(file.getParent());
    return Files.write(file, bytes.array());
  }

  private static ByteBuffer text(ByteBuffer to, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    return to.putLong(bytes.length).put(bytes);
  }

  private List<String> names() {
    return catalog.available().stream().map(AvailableModel::name).toList();
  }

  @Test
  void modelsBelowADirectoryAreFoundByTheirNames() throws IOException {
    Path nested = layout(shelf.resolve("org/name"), "model.safetensors");
    Path file = gguf(shelf.resolve("files/tiny-Q8.gguf"));
    Files.createDirectories(shelf.resolve("a/b/c"));
    layout(shelf.resolve("a/b/c/too-deep"), "model.safetensors");
    Files.writeString(shelf.resolve("notes.txt"), "nothing");
    catalog.add(shelf);
    catalog.add(shelf);
    assertEquals(List.of("tiny-Q8", "org/name"), names());
    assertEquals(nested, catalog.resolve(new ModelId("org/name")));
    assertEquals(file, catalog.resolve(new ModelId("tiny-Q8")));
    AvailableModel tiny = catalog.available().getFirst();
    assertEquals(Optional.of("gemma3"), tiny.architecture());
    assertEquals(Optional.of("gemma"), tiny.license());
    assertEquals(500, tiny.sizeBytes());
    assertTrue(catalog.forget(shelf));
    assertFalse(catalog.forget(shelf));
    assertEquals(List.of(), names());
    assertTrue(Files.exists(file));
  }

  /** Else they would say what a model of that name is. */
  @Test
  void whatAnotherUserAddedIsRefusedWithTheRemedy() throws IOException {
    gguf(shelf.resolve("tiny.gguf"));
    catalog.add(shelf);
    Path list = cache.root().resolve("directories");
    Files.setPosixFilePermissions(list, PosixFilePermissions.fromString("rw-rw-rw-"));
    assertEquals(List.of("tiny"), names(), "it is ours, and now nobody else may write to it");
    assertEquals("rw-r--r--", PosixFilePermissions.toString(Files.getPosixFilePermissions(list)));
    assumeTrue(
        ((Number) Files.getAttribute(list, "unix:uid")).intValue() == 0,
        "SKIPPED: only root can give a file away");
    Files.setAttribute(list, "unix:uid", 54321);
    assertRefused(ModelException.class, this::names, list.toString(), "delete it");
    Files.setAttribute(list, "unix:uid", 0);
    assertEquals(List.of("tiny"), names());
    Path target = Files.move(list, home.resolve("elsewhere"));
    Files.createSymbolicLink(list, target);
    assertRefused(ModelException.class, this::names, list.toString());
  }

  @Test
  void aDirectoryMayBeAModelAndTwoOfOneNameGoByTheirPaths() throws IOException {
    Path one = layout(shelf.resolve("one/tiny"), "model.safetensors");
    Path two = layout(shelf.resolve("two/tiny"), "model.safetensors");
    catalog = catalog.withDirectories(List.of(one)).withDirectories(List.of(two));
    assertEquals(List.of("tiny", two.toString()), names());
    assertEquals(one, catalog.resolve(new ModelId("tiny")));
    assertEquals(two, catalog.resolve(new ModelId(two.toString())));
  }

  @Test
  void whatIsMissingIsNamed() throws IOException {
    Path model = layout(shelf.resolve("m"));
    catalog = catalog.withDirectories(List.of(shelf));
    assertEquals(List.of("model.safetensors"), catalog.available().getFirst().missing());
    Files.writeString(
        model.resolve("model.safetensors.index.json"),
        "{\"weight_map\":{\"a\":\"model-1.safetensors\",\"b\":\"../x.safetensors\",\"c\":\"\\u0000\"}}");
    Files.writeString(model.resolve("model-1.safetensors"), "12345");
    assertEquals(List.of("\0", "../x.safetensors"), catalog.available().getFirst().missing());
    Files.writeString(model.resolve("config.json"), "{");
    Files.delete(model.resolve("model.safetensors.index.json"));
    assertEquals(List.of("config.json (unreadable)"), catalog.available().getFirst().missing());
    assertEquals(ModelState.PARTIAL, catalog.available().getFirst().state());
  }

  @Test
  void aSplitModelIsOneAndReadyWhenAllOfItIsThere() throws IOException {
    gguf(shelf.resolve("big-00002-of-00002.gguf"));
    catalog = catalog.withDirectories(List.of(shelf));
    AvailableModel half = catalog.available().getFirst();
    assertEquals(List.of("big"), names());
    assertEquals(List.of("big-00001-of-00002.gguf"), half.missing());
    assertFalse(half.complete());
    Path first = gguf(shelf.resolve("big-00001-of-00002.gguf"));
    AvailableModel whole = catalog.available().getFirst();
    assertTrue(whole.complete());
    assertEquals(1000, whole.sizeBytes());
    assertEquals(List.of("big"), names());
    assertEquals(first, catalog.resolve(new ModelId("big")));
  }

  @Test
  void allPartsOfASplitModelAreRemoved() throws IOException {
    gguf(cache.models().resolve("big-00001-of-00002.gguf"));
    gguf(cache.models().resolve("big-00002-of-00002.gguf"));
    assertEquals(1000, new ModelRemover(catalog).remove(new ModelId("big")));
    assertEquals(List.of(), names());
  }

  @Test
  void whatMacOsKeepsBesideFilesIsNoModel() throws IOException {
    gguf(shelf.resolve("m.gguf"));
    gguf(shelf.resolve("._m.gguf"));
    Path model = layout(shelf.resolve("half"));
    Files.writeString(model.resolve("._model.safetensors"), "12345");
    catalog = catalog.withDirectories(List.of(shelf));
    assertEquals(List.of("m", "half"), names());
    assertEquals(List.of("model.safetensors"), catalog.available().get(1).missing());
  }

  @Test
  void whatLiesAmongOurOwnIsFoundAndCanBeRemoved() throws IOException {
    Path file = gguf(cache.models().resolve("mine.gguf"));
    assertEquals(List.of("mine"), names());
    assertEquals(ModelSource.OWN, catalog.available().getFirst().source());
    assertEquals(500, new ModelRemover(catalog).remove(new ModelId("mine")));
    assertFalse(Files.exists(file));
  }

  @Test
  void nothingIsRemovedFromADirectoryThatWasAdded() throws IOException {
    Path file = gguf(shelf.resolve("theirs.gguf"));
    catalog = catalog.withDirectories(List.of(shelf));
    assertRefused(
        ModelException.class,
        () -> new ModelRemover(catalog).remove(new ModelId("theirs")),
        "was added",
        file.toString());
    assertRefused(
        ModelException.class,
        () -> new ModelRemover(catalog).remove(new ModelId(file.toString())),
        "nothing of");
    assertTrue(Files.exists(file));
  }

  @Test
  void aLinkAmongOurOwnIsRemovedAndNotWhatItLeadsTo() throws IOException {
    Path theirs = gguf(shelf.resolve("theirs.gguf"));
    Files.createDirectories(cache.models());
    Path link = Files.createSymbolicLink(cache.models().resolve("link.gguf"), theirs);
    new ModelRemover(catalog).remove(new ModelId("link"));
    assertFalse(Files.exists(link));
    assertTrue(Files.exists(theirs));
  }

  @Test
  void checksumsOfOthersAreNotKnown() throws IOException {
    gguf(shelf.resolve("theirs.gguf"));
    catalog = catalog.withDirectories(List.of(shelf));
    var checked = new ModelVerifier(catalog).verify(new ModelId("theirs"), FetchProgress.NONE);
    assertEquals(Optional.empty(), checked.getFirst().expected());
    assertFalse(checked.getFirst().damaged());
  }

  @Test
  void whatIsNoDirectoryIsRefused() throws IOException {
    Path file = Files.writeString(home.resolve("file"), "");
    assertRefused(ModelException.class, () -> catalog.add(file), "no directory", file.toString());
    Files.createDirectories(cache.root());
    Files.write(cache.root().resolve("directories"), new byte[] {0, 'x'});
    assertRefused(ModelException.class, () -> catalog.available(), "delete it");
  }
}
