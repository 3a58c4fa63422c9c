package dev.semantic.mlx.models;

import static dev.semantic.mlx.testing.Refusal.assertRefused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.model.ModelException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class HubSettingsTest {
  private static HubSettings of(Map<String, String> environment) {
    return HubSettings.of(environment, "/java/home");
  }

  @ParameterizedTest
  @CsvSource({
    "HF_HUB_CACHE, /c, /c",
    "HUGGINGFACE_HUB_CACHE, /c, /c",
    "HF_HOME, /h, /h/hub",
    "HF_HOME, ~/h, /home/ada/h/hub",
    "XDG_CACHE_HOME, /x, /x/huggingface/hub",
    "HF_HOME, ' ', /home/ada/.cache/huggingface/hub"
  })
  void theCacheIsWherePythonHasIt(String name, String value, String cache) {
    assertEquals(Path.of(cache), of(Map.of("HOME", "/home/ada", name, value)).cache());
  }

  @Test
  void withoutAnythingAllIsAsUsual() {
    HubSettings usual = of(Map.of());
    assertEquals(Path.of("/java/home/.cache/huggingface/hub"), usual.cache());
    assertEquals("https://huggingface.co", usual.endpoint().toString());
    assertFalse(usual.offline());
    assertEquals(Optional.empty(), usual.token());
  }

  @Test
  void theTokenComesFromTheVariableOrTheFileAndIsNeverShown(@TempDir Path home) throws Exception {
    Files.writeString(home.resolve("token"), "hf_file\n");
    Map<String, String> file = Map.of("HF_HOME", home.toString());
    assertEquals(Optional.of("hf_file"), of(file).token());
    HubSettings set = of(Map.of("HF_HOME", home.toString(), "HF_TOKEN", " hf_set\n"));
    assertEquals(Optional.of("hf_set"), set.token());
    assertFalse(set.toString().contains("hf_set"), set::toString);
    assertEquals(
        Optional.empty(),
        of(Map.of("HF_TOKEN", "hf_set", "HF_HUB_DISABLE_IMPLICIT_TOKEN", "1")).token());
  }

  @ParameterizedTest
  @CsvSource({"1, true", "yes, true", "TRUE, true", "on, true", "0, false", "'', false"})
  void offlineIsAWord(String value, boolean offline) {
    assertEquals(offline, of(Map.of("HF_HUB_OFFLINE", value)).offline());
  }

  @ParameterizedTest
  @ValueSource(strings = {"hub", "ftp://hub", "http:///x", "http://a b", "::"})
  void anEndpointThatIsNoneIsRefused(String endpoint) {
    assertRefused(
        ModelException.class, () -> of(Map.of("HF_ENDPOINT", endpoint)), "HF_ENDPOINT", endpoint);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "http://user:geheim@hub",
        "https://geheim@hub/x",
        "ftp://user:geheim@hub",
        "http://user:geheim@a b",
        "http://user:geheim@"
      })
  void aPasswordInAnEndpointIsRefusedUnshown(String endpoint) {
    ModelException refused =
        assertRefused(
            ModelException.class, () -> of(Map.of("HF_ENDPOINT", endpoint)), "HF_ENDPOINT");
    for (Throwable t = refused; t != null; t = t.getCause()) {
      assertFalse(String.valueOf(t.getMessage()).contains("geheim"), t::toString);
    }
  }

  @Test
  void anEndpointMayEndWithASlash() {
    assertEquals("http://hub/x", of(Map.of("HF_ENDPOINT", "http://hub/x//")).endpoint().toString());
    assertTrue(of(Map.of("TRANSFORMERS_OFFLINE", "1")).offline());
  }
}
