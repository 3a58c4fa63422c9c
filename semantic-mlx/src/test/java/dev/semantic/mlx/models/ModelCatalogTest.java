package dev.semantic.mlx.models;

import static dev.semantic.mlx.testing.Refusal.assertRefused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.mlx.files.Sha256;
import dev.semantic.mlx.testing.RequiresModels;
import dev.semantic.model.ModelException;
import dev.semantic.model.ModelId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ModelCatalogTest {
  @TempDir Path home;

  private ModelCatalog catalog() {
    return new ModelCatalog(new UserCache(home));
  }

  @Test
  void aPathStandsForItself() throws IOException {
    Path file = Files.writeString(home.resolve("some.gguf"), "");
    assertEquals(file, catalog().resolve(new ModelId(file.toString())));
    assertEquals(home, catalog().resolve(new ModelId(home.toString())));
  }

  @ParameterizedTest
  @ValueSource(strings = {"gpt-9", "/no/such/file.gguf", "Gemma-3-270m", "a\0b"})
  void anUnknownNameListsTheKnownOnes(String name) {
    assertRefused(
        ModelException.class,
        () -> catalog().resolve(new ModelId(name)),
        name,
        "smollm2-135m-instruct",
        "gemma-3-270m (absent)");
  }

  @Test
  void aModelThatIsNotHereSaysHowToFetchIt() {
    assertRefused(
        ModelException.class,
        () -> catalog().resolve(new ModelId("gemma-3-270m")),
        "ModelFetcher",
        home.toString());
  }

  @Test
  void gemmasPartsAreInOrder() {
    assertEquals(4, ModelCatalog.GEMMA3.parts().size());
    for (int i = 0; i < 4; i++) {
      CatalogModel.Part part = ModelCatalog.GEMMA3.parts().get(i);
      assertTrue(part.entry().endsWith(".part0" + i), part.entry());
      assertTrue(part.project().endsWith("part" + (i + 1)), part.project());
    }
  }

  @Test
  @RequiresModels
  void theFetchedFilesAreTheOnesThatWereMeant() throws IOException {
    ModelCatalog user = ModelCatalog.ofUser();
    for (CatalogModel model : user.models()) {
      Path file = user.resolve(new ModelId(model.name()));
      assertEquals(model.sizeBytes(), Files.size(file));
      assertEquals(model.sha256(), Sha256.of(file));
    }
  }
}
