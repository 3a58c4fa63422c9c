package dev.semantic.mlx.models;

import static dev.semantic.mlx.testing.Refusal.assertRefused;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.semantic.mlx.files.Sha256;
import dev.semantic.model.ModelException;
import dev.semantic.model.ModelId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ModelCatalogTest {
  private static final ModelOrigin NOWHERE =
      new ModelOrigin() {
        @Override
        public long missingBytes(Path downloads) {
          return 11;
        }

        @Override
        public void fetch(Path file, Path downloads, FetchProgress progress) throws IOException {
          throw new IOException("nowhere");
        }
      };

  @TempDir Path home;

  private ModelCatalog catalog() {
    return new ModelCatalog(new UserCache(home))
        .withModels(List.of(known("small"), known("other")));
  }

  private static KnownModel known(String name) {
    return new KnownModel(
        name, name + ".gguf", 11, Sha256.of("hello world"), "llama", 1 << 20, "MIT", NOWHERE);
  }

  @Test
  void aPathStandsForItself() throws IOException {
    Path file = Files.writeString(home.resolve("some.gguf"), "");
    assertEquals(file, catalog().resolve(new ModelId(file.toString())));
    assertEquals(home, catalog().resolve(new ModelId(home.toString())));
  }

  @ParameterizedTest
  @ValueSource(strings = {"gpt-9", "/no/such/file.gguf", "Small", "a\0b"})
  void anUnknownNameListsTheKnownOnes(String name) {
    assertRefused(
        ModelException.class,
        () -> catalog().resolve(new ModelId(name)),
        name,
        "small (absent)",
        "other (absent)");
  }

  @Test
  void aModelThatIsNotHereSaysHowToFetchIt() {
    assertRefused(
        ModelException.class,
        () -> catalog().resolve(new ModelId("small")),
        "ModelFetcher",
        home.toString());
  }

  @Test
  void twoKnownModelsOfOneNameOrFileAreRefused() {
    ModelCatalog one = new ModelCatalog(new UserCache(home)).withModels(List.of(known("small")));
    assertRefused(
        IllegalArgumentException.class, () -> one.withModels(List.of(known("small"))), "small");
    assertRefused(
        IllegalArgumentException.class,
        () -> new KnownModel("x", "../x", 1, Sha256.of(""), "llama", 1, "MIT", NOWHERE),
        "../x");
    assertRefused(
        IllegalArgumentException.class,
        () -> new KnownModel("x", "x.gguf", 1, "abc", "llama", 1, "MIT", NOWHERE),
        "SHA-256",
        "abc");
  }
}
