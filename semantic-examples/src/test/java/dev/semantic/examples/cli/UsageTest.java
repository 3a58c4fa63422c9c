package dev.semantic.examples.cli;

import static dev.semantic.examples.cli.InProcess.run;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.semantic.examples.testing.Run;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whatever is wrong with the words themselves: exit code 2 and one line, before any model. */
class UsageTest {
  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "dance",
        "--json",
        "info",
        "info a b",
        "info a --loud",
        "tokenize a",
        "tokenize a b c",
        "render",
        "render --template a",
        "render a",
        "render a --messages",
        "logits a",
        "logits a --tokens",
        "logits a --tokens 1,,2",
        "logits a --tokens one",
        "logits a --tokens 1.5",
        "logits a --tokens 1,2 --position x",
        "generate a",
        "generate a --prompt b --tokens 1",
        "generate a --prompt b --messages c",
        "generate a --tokens 1 --messages c",
        "generate a --prompt b --max-tokens none",
        "generate a --prompt b --temperature hot",
        "generate a --prompt b --seed 1.5",
        "caches",
        "caches dance",
        "caches --cache-dir a",
        "caches list",
        "caches list --cache-dir",
        "caches list --cache-dir a b",
        "caches list --cache-dir a --state gone",
        "caches list --cache-dir a --older-than soon",
        "caches list --cache-dir a --older-than -3d",
        "caches verify",
        "caches show --agent b",
        "caches export --cache-dir a --agent b",
        "caches export --out c --agent b",
        "caches import --cache-dir a",
        "caches import b",
        "caches archive --cache-dir a",
        "caches purge --cache-dir a",
        "caches purge --cache-dir a --yes",
        "models all",
        "models list all",
        "models fetch",
        "models fetch a --budget much",
        "models fits",
        "models fits a --context 0",
        "models add",
        "models add a b",
        "models convert",
        "models convert a",
        "models convert a b --bits many",
        "models verify",
        "models remove",
        "models remove a --no",
        "fetch",
        "demo --budget much",
        "demo --budget 0",
        "chat",
        "chat a --agent",
        "chat a --max-tokens 0",
        "chat a --budget much",
        "swap",
        "swap a",
        "swap a b --agents 0",
        "swap a b --agents many",
        "swap a b --max-tokens 0",
        "swap a b --budget much",
        "swap a b --budget 0",
        "swap a b --fail sleeping",
        "swap a b --fail rolling_back",
        "soak a b",
        "soak a --swaps 1 --agents 1",
        "soak a b --swaps 1",
        "soak a b --agents 1",
        "soak a b --swaps -1 --agents 1",
        "soak a b --swaps 1 --agents 0",
        "soak a b --swaps 1 --agents 1 --seed x",
        "soak a b --swaps 1 --agents 1 --budget 0",
        "serve --port x",
        "serve --port 70000",
        "serve --max-body 0",
        "serve --host 0.0.0.0",
        "serve --json"
      })
  void wrongUsage(String words) {
    run(split(words)).assertFailed(2, "--help");
    run(split(words + " --json")).assertFailed(2, "--help");
  }

  @Test
  void whatIsRemovedIsAskedFor() {
    run("models", "remove", "gpt-9", "--yes").assertFailed(1, "nothing of gpt-9");
    run("models", "verify", "gpt-9").assertFailed(1, "gpt-9", "org/name");
    run("models", "add", "/no/such").assertFailed(1, "no model in /no/such");
  }

  private static String[] split(String words) {
    return words.isBlank() ? new String[0] : words.strip().split(" ");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "info",
        "tokenize",
        "render",
        "logits",
        "generate",
        "demo",
        "models",
        "models list",
        "models fetch",
        "models fits",
        "models add",
        "models convert",
        "models verify",
        "models remove",
        "fetch",
        "chat",
        "swap",
        "soak",
        "serve",
        "caches",
        "caches list",
        "caches show",
        "caches verify",
        "caches export",
        "caches import",
        "caches archive",
        "caches purge"
      })
  void helpIsAnAnswer(String command) {
    Run help = run(split(command + " --help"));
    assertEquals(0, help.code());
    assertEquals("", help.err());
    assertTrue(help.out().contains("--json"), help.out());
  }

  @Test
  void aConversationHasNoJson() {
    run("chat", "a", "--json").assertFailed(2, "generate");
  }

  @Test
  void theCatalogueBeginsWithItsTwoModels() throws IOException {
    JsonNode models = run("models", "--json").json("models").get("models");
    assertEquals(models, run("models", "list", "--json").json("models").get("models"));
    for (JsonNode model : models) {
      assertEquals(
          List.of(
              "name", "path", "size_bytes", "license", "state", "architecture", "fits", "complete"),
          model.properties().stream().map(e -> e.getKey()).toList());
      assertEquals("ready".equals(model.get("state").asText()), model.get("complete").asBoolean());
    }
    for (int i = 0; i < 2; i++) {
      JsonNode model = models.get(i);
      assertEquals(model.get("complete").asBoolean(), model.get("path").isTextual());
      assertTrue(model.get("size_bytes").asLong() > 90_000_000);
    }
    assertEquals("smollm2-135m-instruct", models.get(0).get("name").asText());
    assertEquals("gemma-3-270m", models.get(1).get("name").asText());
    assertTrue(run("models").out().contains("gemma-3-270m"));
  }

  @Test
  void whatStrangersWroteNeitherEndsTheLineNorSteersTheTerminal() {
    assertEquals("a b?[31m?c", Cli.oneLine("a\n b\u001b[31m\u202ec\n"));
    String cut = Cli.oneLine("Cannot " + "x".repeat(100_000) + " here");
    assertTrue(cut.length() < 2100 && cut.startsWith("Cannot x") && cut.endsWith("x here"), cut);
  }

  @Test
  void whatNobodyHasIsNotFetched() {
    run("fetch", "gpt-9").assertFailed(1, "gpt-9", "org/name");
    run("models", "fetch", "gpt-9").assertFailed(1, "gpt-9", "org/name");
  }
}
