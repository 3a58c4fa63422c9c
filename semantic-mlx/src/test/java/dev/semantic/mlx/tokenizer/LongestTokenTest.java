package dev.semantic.mlx.tokenizer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.semantic.mlx.files.ModelDirectory;
import dev.semantic.mlx.testing.TinyModels;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.text.Normalizer;
import java.util.Objects;
import java.util.OptionalInt;
import java.util.Random;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** No token stands for more characters than the tokenizer says, and where any might, it says so. */
class LongestTokenTest {
  @TempDir private Path directory = Path.of("");

  private ChatTokenizer open(String name, Consumer<ObjectNode> change) throws Exception {
    Path source =
        Path.of(
            Objects.requireNonNull(LongestTokenTest.class.getResource("/tokenizers/" + name))
                .toURI());
    ObjectNode tokenizer = (ObjectNode) TinyModels.json(source.resolve("tokenizer.json"));
    change.accept(tokenizer);
    Files.writeString(directory.resolve("tokenizer.json"), tokenizer.toString());
    Files.writeString(directory.resolve("config.json"), "{\"eos_token_id\": 0}");
    return Tokenizers.open(ModelDirectory.of(directory)).get();
  }

  private OptionalInt longest(String name, Consumer<ObjectNode> change) throws Exception {
    try (ChatTokenizer text = open(name, change)) {
      return text.maxCharsPerToken();
    }
  }

  private static void stripsNothing(ObjectNode tokenizer) {
    for (JsonNode each : tokenizer.get("added_tokens")) {
      ((ObjectNode) each).put("rstrip", false);
    }
  }

  private static void normalizer(ObjectNode tokenizer, String json) {
    try {
      tokenizer.set("normalizer", new ObjectMapper().readTree(json));
    } catch (IOException e) {
      throw new IllegalArgumentException(json, e);
    }
  }

  private static String anything(Random random) {
    String[] some = {
      "a",
      "the ",
      "Hello",
      " ",
      "        ",
      "\n",
      "é",
      "e\u0301",
      "ᾂ",
      "한",
      "🙂",
      "\u0000",
      "<|end|>",
      "<tool>",
      "\ud800",
      "\u212a",
      "字",
      "\ufffe"
    };
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < 30; i++) {
      text.append(some[random.nextInt(some.length)]);
    }
    return text.toString();
  }

  @ParameterizedTest
  @ValueSource(strings = {"byte-level", "sentencepiece-prepend", "sentencepiece-plain"})
  void noTextHasFewerTokens(String name) throws Exception {
    try (ChatTokenizer text = open(name, LongestTokenTest::stripsNothing)) {
      int most = text.maxCharsPerToken().orElseThrow();
      Random random = new Random(5);
      for (int i = 0; i < 2_000; i++) {
        String any = anything(random);
        int tokens = text.encode(any, false).length;
        assertTrue(any.length() <= (long) tokens * most, () -> any + ": " + tokens);
      }
    }
  }

  @Test
  void whatIsPutTogetherIsAtMostTwiceAsLong() throws Exception {
    int plain = longest("byte-level", tokenizer -> {}).orElseThrow();
    Consumer<ObjectNode> nfc = tokenizer -> normalizer(tokenizer, "{\"type\": \"NFC\"}");
    assertEquals(2 * plain, longest("byte-level", nfc).orElseThrow());
    for (int c = 0; c <= Character.MAX_CODE_POINT; c++) {
      if (Character.getType(c) == Character.SURROGATE) {
        continue;
      }
      String text = Character.toString(c);
      String apart = Normalizer.normalize(text, Normalizer.Form.NFD);
      String together = Normalizer.normalize(text, Normalizer.Form.NFC);
      int bytes = together.getBytes(StandardCharsets.UTF_8).length;
      assertTrue(Math.max(text.length(), apart.length()) <= 2 * bytes, "U+%x".formatted(c));
    }
  }

  @Test
  void whereCharactersMayBeLostThereIsNoBound() throws Exception {
    assertEquals(OptionalInt.empty(), longest("unigram", tokenizer -> {}));
    assertEquals(
        OptionalInt.empty(), longest("sentencepiece-plain", tokenizer -> {}), "one strips");
    for (String normalizer :
        new String[] {
          "{\"type\": \"Strip\", \"strip_left\": true, \"strip_right\": true}",
          "{\"type\": \"Replace\", \"pattern\": {\"String\": \"ab\"}, \"content\": \"\"}",
          "{\"type\": \"Replace\", \"pattern\": {\"Regex\": \"a+\"}, \"content\": \"aaaa\"}",
          "{\"type\": \"NFKC\"}"
        }) {
      assertEquals(
          OptionalInt.empty(),
          longest("byte-level", tokenizer -> normalizer(tokenizer, normalizer)),
          normalizer);
    }
    Consumer<ObjectNode> removes =
        tokenizer ->
            ((ObjectNode) tokenizer.get("pre_tokenizer").get("pretokenizers").get(0))
                .put("behavior", "Removed");
    assertEquals(OptionalInt.empty(), longest("byte-level", removes));
    Consumer<ObjectNode> knowsNoA =
        tokenizer -> {
          ObjectNode model = (ObjectNode) tokenizer.get("model");
          ObjectNode vocabulary = (ObjectNode) model.get("vocab");
          int id = vocabulary.remove("Ā").intValue();
          vocabulary.put("ĀĀ", id);
        };
    assertEquals(OptionalInt.empty(), longest("byte-level", knowsNoA), "no token for a byte");
  }
}
