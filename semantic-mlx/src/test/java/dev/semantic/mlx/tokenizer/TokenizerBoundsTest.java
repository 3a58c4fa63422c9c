package dev.semantic.mlx.tokenizer;

import static dev.semantic.mlx.testing.Refusal.assertRefused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.semantic.mlx.files.ModelDirectory;
import dev.semantic.mlx.testing.TinyModels;
import dev.semantic.model.ModelException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a stranger's tokenizer.json may hold: nothing that hangs, ends, or fills the process. */
class TokenizerBoundsTest {
  @TempDir private Path directory = Path.of("");

  private void open(Consumer<ObjectNode> change) throws Exception {
    Path source =
        Path.of(
            Objects.requireNonNull(TokenizerBoundsTest.class.getResource("/tokenizers/byte-level"))
                .toURI());
    ObjectNode tokenizer = (ObjectNode) TinyModels.json(source.resolve("tokenizer.json"));
    change.accept(tokenizer);
    Files.writeString(directory.resolve("tokenizer.json"), tokenizer.toString());
    Files.writeString(directory.resolve("config.json"), "{\"eos_token_id\": 0}");
    Tokenizers.open(ModelDirectory.of(directory)).get().close();
  }

  private void refused(Consumer<ObjectNode> change, String... words) {
    assertRefused(ModelException.class, () -> open(change), words);
  }

  private static Consumer<ObjectNode> cutAt(String pattern) {
    return tokenizer ->
        ((ObjectNode) tokenizer.get("pre_tokenizer").get("pretokenizers").get(0).get("pattern"))
            .put("Regex", pattern);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "(a+)+$",
        "(a*)*b",
        "(?:a|aa)+b",
        "((a+)b?)*c",
        "(?i:[a-z]+ ?)*!",
        "(a{1,500}){1,500}",
        "(\\s+){2,}x",
        "\\s*\\s*\\s*\\s*\\s*x",
        "(a)\\1",
        "(?<n>a)\\k<n>",
        "(?<n>a\\g<n>?)"
      })
  void patternsThatMayRunForEverAreRefused(String pattern) {
    refused(cutAt(pattern), "may run for ever", pattern);
    assertEquals(
        ModelException.Kind.UNSUPPORTED,
        assertRefused(ModelException.class, () -> open(cutAt(pattern)), "tokenizer.json").kind());
  }

  /** As GPT-2, Llama 3, GPT-4o, Qwen, DeepSeek, BLOOM and Kimi have them. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
        "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r"
            + "\\n"
            + "\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r"
            + "\\n"
            + "]*|\\s*[\\r"
            + "\\n"
            + "]+|\\s+(?!\\S)|\\s+",
        "[^\\r"
            + "\\n"
            + "\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\\p{N}{1,3}|"
            + " ?[^\\s\\p{L}\\p{N}]+[\\r"
            + "\\n"
            + "/]*|\\s*[\\r"
            + "\\n"
            + "]+|\\s+(?!\\S)|\\s+",
        "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\\r"
            + "\\n"
            + "\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\\r"
            + "\\n"
            + "]*|\\s*[\\r"
            + "\\n"
            + "]+|\\s+(?!\\S)|\\s+",
        " ?[^(\\s|[.,!?…。，、।۔،])]+",
        "[\\p{Han}]+|[^\\r"
            + "\\n"
            + "\\p{L}\\p{N}]?[\\p{Lu}\\p{M}&&[^\\p{Han}]]*[\\p{Ll}\\p{M}&&[^\\p{Han}]]+(?i:'s|'t)?",
        "[一-龥぀-ゟ゠-ヿ]+",
        "\\d{1,3}(?=(?:\\d{3})*\\b)",
        "(?:\\r?\\n)+(?!\\r?\\n)",
        "{a}"
      })
  void thoseOfTokenizersAreNot(String pattern) {
    assertEquals(Optional.empty(), PatternBounds.refusal(pattern));
  }

  @Test
  void thoseWeWriteAreNot() {
    for (String name : new String[] {"gpt-2", "qwen2", "llama-bpe", "gpt-4o", "tekken", "smollm"}) {
      String json = PreTokenizers.of(vocabulary(name)).json();
      try {
        new ObjectMapper()
            .readTree(json)
            .findValuesAsText("Regex")
            .forEach(each -> assertEquals(Optional.empty(), PatternBounds.refusal(each)));
      } catch (IOException e) {
        throw new AssertionError(json, e);
      }
    }
  }

  private static GgufVocabulary vocabulary(String pre) {
    return new GgufVocabulary(
        Path.of("m.gguf"),
        Map.of("tokenizer.ggml.tokens", List.of("a"), "tokenizer.ggml.pre", pre));
  }

  @Test
  void aNormalizersPatternsAreLookedAtToo() {
    refused(
        tokenizer -> {
          ObjectNode replace = tokenizer.putObject("normalizer");
          replace
              .put("type", "Replace")
              .put("content", "")
              .putObject("pattern")
              .put("Regex", "(a+)+b");
        },
        "may run for ever");
  }

  private static ByteBuffer map(int units, String texts) {
    byte[] bytes = texts.getBytes(StandardCharsets.UTF_8);
    return ByteBuffer.allocate(4 + 4 * units + bytes.length)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putInt(4 * units)
        .put(4 + 4 * units, bytes);
  }

  private static String base64(ByteBuffer map) {
    byte[] bytes = new byte[map.capacity()];
    map.get(0, bytes);
    return Base64.getEncoder().encodeToString(bytes);
  }

  /** A way for {@code a} to the unit behind it, which says where its text is. */
  private static String oneWay(int offset, int text) {
    ByteBuffer map = map(256, "é\0");
    int way = 'a';
    map.putInt(4 + 4 * way, way + (1 << 8) + (offset << 10));
    if ((way ^ offset) < 256) {
      map.putInt(4 + 4 * (way ^ offset), Integer.MIN_VALUE + text);
    }
    return base64(map);
  }

  @Test
  void aMapOfCharactersThatLeadsOutOfItselfIsRefused() {
    assertEquals(Optional.empty(), CharsMap.refusal(""));
    assertEquals(Optional.empty(), CharsMap.refusal(base64(map(256, ""))));
    assertEquals(Optional.empty(), CharsMap.refusal(oneWay(1, 0)));
    assertTrue(CharsMap.refusal(oneWay(1 << 10, 0)).orElseThrow().contains("leads"));
    assertTrue(CharsMap.refusal(oneWay(1, 99)).orElseThrow().contains("no text"));
    assertTrue(CharsMap.refusal(oneWay(1, 1)).orElseThrow().contains("no text"), "within é");
    assertTrue(CharsMap.refusal("?").orElseThrow().contains("base64"));
    assertTrue(CharsMap.refusal("AAAA").isPresent());
    assertTrue(CharsMap.refusal(base64(map(3, ""))).orElseThrow().contains("leads out"));
    assertTrue(CharsMap.refusal("/////w==").orElseThrow().contains("4294967295 bytes"));
    refused(
        tokenizer ->
            tokenizer
                .putObject("normalizer")
                .put("type", "Precompiled")
                .put("precompiled_charsmap", "AAAA"),
        "map of characters");
  }

  @Test
  void moreThanFitsIntoMemoryIsRefused() {
    refused(
        tokenizer -> {
          ArrayNode many =
              tokenizer.putObject("normalizer").put("type", "Sequence").putArray("normalizers");
          for (int i = 0; i < 400_000; i++) {
            many.addObject().put("type", "NFC");
          }
        },
        "tokenizer.json");
    refused(
        tokenizer -> {
          ArrayNode inner =
              tokenizer.putObject("normalizer").put("type", "Sequence").putArray("normalizers");
          for (int i = 0; i < 200; i++) {
            inner = inner.addObject().put("type", "Sequence").putArray("normalizers");
          }
        },
        "tokenizer.json");
    refused(
        tokenizer -> {
          ArrayNode added = (ArrayNode) tokenizer.get("added_tokens");
          added.addObject().put("id", 390).put("content", "x".repeat(5 << 20)).put("special", true);
        },
        "added tokens have more than");
    refused(
        tokenizer -> ((ObjectNode) tokenizer.get("model").get("vocab")).put("zzzz", 1L << 40),
        "'zzzz'",
        "1099511627776");
    refused(
        tokenizer ->
            ((ArrayNode) tokenizer.get("added_tokens"))
                .addObject()
                .put("id", -1)
                .put("content", "x"),
        "added token");
  }

  /** Else {@code hi}, which anybody may write, would be the special token. */
  @Test
  void twoAddedTokensOfOneNumberAreRefused() {
    refused(
        tokenizer -> {
          added(tokenizer, 400, "<|secret|>", true);
          added(tokenizer, 400, "hi", false);
        },
        "tokenizer.json",
        "'<|secret|>' and 'hi' are both 400");
    refused(
        tokenizer -> {
          added(tokenizer, 400, "<|secret|>", true);
          added(tokenizer, 400, "<|secret|>", false).put("normalized", true);
        },
        "tokenizer.json",
        "'<|secret|>' is there twice");
    refused(
        tokenizer -> {
          added(tokenizer, 400, "hi", false);
          added(tokenizer, 401, "hi", false);
        },
        "tokenizer.json",
        "'hi' is both 400 and 401");
  }

  /** Hugging Face's tokenizers go by the later one. */
  @Test
  void anAddedTokenMayBeThereTwice() throws Exception {
    open(
        tokenizer -> {
          added(tokenizer, 394, "<|twice|>", true);
          added(tokenizer, 394, "<|twice|>", true).put("lstrip", true);
        });
    try (ChatTokenizer text = Tokenizers.open(ModelDirectory.of(directory)).get()) {
      assertArrayEquals(new int[] {394}, text.encode(" <|twice|>", false));
    }
  }

  private static ObjectNode added(ObjectNode tokenizer, int id, String text, boolean special) {
    return ((ArrayNode) tokenizer.get("added_tokens"))
        .addObject()
        .put("id", id)
        .put("content", text)
        .put("special", special);
  }
}
