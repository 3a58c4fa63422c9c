package dev.semantic.mlx.models.hub;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class HubRepoTest {
  @ParameterizedTest
  @CsvSource({
    "org/name, org/name, main, ''",
    "mlx-community/Qwen2.5-14B-Instruct-4bit, mlx-community/Qwen2.5-14B-Instruct-4bit, main, ''",
    "org/name@v1.0, org/name, v1.0, ''",
    "org/name@refs/pr/7, org/name, refs/pr/7, ''",
    "org/name:Q4_K_M, org/name, main, Q4_K_M",
    "org/name@v1:a.gguf, org/name, v1, a.gguf"
  })
  void namesOfRepositories(String text, String id, String revision, String choice) {
    assertEquals(Optional.of(new HubRepo(id, revision, choice)), HubRepo.parse(text));
    assertEquals(text, HubRepo.parse(text).orElseThrow().toString());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "name",
        "/org/name",
        "./org/name",
        "../name",
        "a/b/c",
        "org/../name",
        "org/..",
        "org/.",
        "org--x/name",
        "org/name@",
        "org/name@../x",
        "org/name@a//b",
        "org/name:",
        "org/name:../x",
        "models/file.gguf",
        "models/model.safetensors",
        "org/na me",
        "org\\name",
        "C:/x",
        "org/näme"
      })
  void pathsAndOtherThings(String text) {
    assertEquals(Optional.empty(), HubRepo.parse(text));
  }

  @Test
  void aCommitIsPinned() {
    assertEquals(true, HubRepo.parse("a/b@" + "0".repeat(40)).orElseThrow().isPinned());
    assertEquals(false, HubRepo.parse("a/b@" + "0".repeat(39)).orElseThrow().isPinned());
  }
}
