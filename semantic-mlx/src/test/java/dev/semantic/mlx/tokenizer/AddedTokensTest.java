package dev.semantic.mlx.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.semantic.generate.ChatMessage;
import dev.semantic.mlx.files.ModelDirectory;
import dev.semantic.mlx.testing.Reference;
import dev.semantic.mlx.testing.Refusal;
import dev.semantic.mlx.testing.TinyModels;
import dev.semantic.model.ModelException;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Added tokens with every flag cut a text as Hugging Face's tokenizers cut it, and none that is
 * special comes out of what somebody from outside wrote. The tokenizers and what is expected were
 * made by {@code added_tokens.py}.
 */
class AddedTokensTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  /** Each shows values in another way; the last ones look into them. */
  private static final List<String> TEMPLATES =
      List.of(
          "{{ bos_token }}{% for m in messages %}<|end|>{{ m.role }} {{ m.content }}<s>{% endfor"
              + " %}",
          "{% for m in messages %}{{ m.content }}{{ m.name }}end{{ m.content | trim }}{% endfor %}",
          "{% for t in tools %}{% for k, v in t.items() %}{{ k }}={{ v }}{% endfor %}{% endfor %}"
              + "{{ tools | tojson }}{{ documents }}{{ date_string }}<s>",
          "{% for m in messages %}{{ m.content | length }}{{ m.content[:4] }}{{ m.content | upper"
              + " }}{{ m.content | e }}{{ m.name }}<|end|>{% endfor %}",
          "{% for m in messages %}{{ m.content.split('<|end|>')[-1] }}<|end|>{% endfor %}",
          "{% for m in messages %}{% if '<s>' in m.content %}{{ m.content.strip() }}{% else %}"
              + "{{ m.content.replace('</s>', '') }}{% endif %}<|end|>{% endfor %}");

  private static final List<String> BITS =
      List.of(
          "<|end|>", "<|en", "d|>", "<s>", "</s>", "end", "endless", "<e", "[X]", "x", "_", " ",
          "  ", "\n", "\u00a0", "é", "日本", "🙂", "§", "<|a|>", "|a|", "<b>", "\n\n", "<", ">",
          "\ufdd0", "▁", "</", "s>");

  @TempDir private Path directory = Path.of("");

  private static Path resource(String name) throws URISyntaxException {
    return Path.of(
        Objects.requireNonNull(AddedTokensTest.class.getResource("/tokenizers/" + name)).toURI());
  }

  private ChatTokenizer open(JsonNode tokenizer, String template) throws Exception {
    ObjectNode json =
        (ObjectNode)
            TinyModels.json(resource(tokenizer.get("base").asText()).resolve("tokenizer.json"));
    json.set("normalizer", tokenizer.get("normalizer"));
    json.set("pre_tokenizer", tokenizer.get("pre_tokenizer"));
    json.set("added_tokens", tokenizer.get("added"));
    json.putNull("post_processor");
    Files.writeString(directory.resolve("tokenizer.json"), json.toString());
    Files.writeString(directory.resolve("config.json"), "{}");
    Files.writeString(directory.resolve("chat_template.jinja"), template);
    return Tokenizers.open(ModelDirectory.of(directory)).get();
  }

  @TestFactory
  List<DynamicTest> aTextIsCutAsHuggingFacesTokenizersCutIt() throws Exception {
    List<DynamicTest> tests = new ArrayList<>();
    int number = 0;
    for (JsonNode tokenizer : TinyModels.json(resource("added-tokens.json"))) {
      tests.add(
          DynamicTest.dynamicTest(
              "tokenizer " + number++,
              () -> {
                try (ChatTokenizer text = open(tokenizer, "")) {
                  for (JsonNode each : tokenizer.get("cases")) {
                    String plain = each.get("text").asText();
                    assertArrayEquals(
                        Reference.ints(each.get("ids")),
                        text.encode(plain, false),
                        plain + " by " + tokenizer.get("added"));
                  }
                }
              }));
    }
    return tests;
  }

  @TestFactory
  List<DynamicTest> noSpecialTokenComesOutOfWhatOthersWrite() throws Exception {
    List<DynamicTest> tests = new ArrayList<>();
    int number = 0;
    for (JsonNode tokenizer : TinyModels.json(resource("added-tokens.json"))) {
      String template = TEMPLATES.get(number % TEMPLATES.size());
      long seed = number++;
      tests.add(
          DynamicTest.dynamicTest(
              "tokenizer " + seed + ", " + template,
              () -> {
                try (ChatTokenizer text = open(tokenizer, template)) {
                  for (int i = 0; i < 40; i++) {
                    check(text, tokenizer, new Random(seed * 1000 + i));
                  }
                }
              }));
    }
    return tests;
  }

  /** As many special tokens as with harmless values, and the same text as without the guard. */
  private static void check(ChatTokenizer text, JsonNode tokenizer, Random random) {
    Map<String, Object> harmless = values(null);
    Map<String, Object> hostile = values(random);
    ChatTokenizer.Rendered expected = text.render(harmless, Clock.systemUTC());
    ChatTokenizer.Rendered rendered = text.render(hostile, Clock.systemUTC());
    assertTrue(
        special(rendered.tokens(), tokenizer).size()
            <= special(expected.tokens(), tokenizer).size(),
        () ->
            hostile
                + " gives "
                + Arrays.toString(rendered.tokens())
                + " by "
                + tokenizer.get("added"));
    assertFalse(rendered.text().contains("\ufdd1"), "a stand-in is left");
  }

  private static List<Integer> special(int[] tokens, JsonNode tokenizer) {
    Set<Integer> special = new TreeSet<>();
    tokenizer
        .get("added")
        .forEach(
            each -> {
              if (each.get("special").asBoolean()
                  && !each.get("content").asText().equals("<unk>")) {
                special.add(each.get("id").asInt());
              }
            });
    return Arrays.stream(tokens).filter(special::contains).boxed().toList();
  }

  private static Map<String, Object> values(@org.jspecify.annotations.Nullable Random random) {
    Map<String, Object> tool = new LinkedHashMap<>();
    tool.put("." + text(random), text(random));
    tool.put("r", Map.of("." + text(random), List.of(text(random))));
    Map<String, Object> values = new LinkedHashMap<>();
    values.put(
        "messages",
        List.of(
            Map.of("role", "user", "content", "." + text(random) + ".", "name", text(random)),
            Map.of("role", "user", "content", text(random), "name", "n")));
    values.put("tools", List.of(tool));
    values.put("documents", List.of(text(random)));
    values.put("date_string", text(random));
    return values;
  }

  private static String text(@org.jspecify.annotations.Nullable Random random) {
    if (random == null) {
      return ".";
    }
    StringBuilder text = new StringBuilder();
    for (int i = random.nextInt(6); i >= 0; i--) {
      text.append(BITS.get(random.nextInt(BITS.size())));
    }
    return text.toString();
  }

  /** What a template cuts at is cut; what it looks for and shows stays text. */
  @Test
  void whatATemplateLooksForAndShowsIsTextAllTheSame() throws Exception {
    JsonNode tokenizer =
        JSON.readTree(
            """
            {"base": "byte-level", "normalizer": null,
             "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true,
              "use_regex": true},
             "added": [{"id": 387, "content": "<|end|>", "special": true, "single_word": false,
               "lstrip": true, "rstrip": true, "normalized": false}]}
            """);
    String template =
        "{% for m in messages %}{% if '<|end|>' in m.content %}!{% endif %}{{ m.content }}{{"
            + " m.content.split('<|end|>')[-1].strip() }}<|end|>{% endfor %}";
    try (ChatTokenizer text = open(tokenizer, template)) {
      int end = text.encode("<|end|>", false)[0];
      ChatTokenizer.Rendered rendered =
          text.render(
              Map.of("messages", List.of(Map.of("role", "user", "content", "a <|end|> b"))),
              Clock.systemUTC());
      assertEquals("!a <|end|> bb<|end|>", rendered.text());
      assertEquals(1, Arrays.stream(rendered.tokens()).filter(id -> id == end).count());
      assertEquals("!a <|end|> bb", text.decode(rendered.tokens()));
    }
  }

  /** The letters of an escape and what stands beside it make no token. */
  @Test
  void whatAFilterEscapesBeginsAndEndsNoSpecialToken() throws Exception {
    JsonNode tokenizer =
        JSON.readTree(
            """
            {"base": "byte-level", "normalizer": null,
             "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true,
              "use_regex": true},
             "added": [
              {"id": 387, "content": "n<x>", "special": true, "single_word": false,
               "lstrip": false, "rstrip": false, "normalized": false},
              {"id": 388, "content": "x\\\\", "special": true, "single_word": false,
               "lstrip": false, "rstrip": false, "normalized": false},
              {"id": 389, "content": "gt;end", "special": true, "single_word": false,
               "lstrip": false, "rstrip": false, "normalized": false}]}
            """);
    String template =
        "{{ messages | tojson }}{% for m in messages %}{{ m.content | e }}{% endfor %}n<x>";
    try (ChatTokenizer text = open(tokenizer, template)) {
      ChatTokenizer.Rendered rendered =
          text.render(
              Map.of(
                  "messages",
                  List.of(Map.of("role", "user", "content", "a\n<x> x\" >end \\x\\ n<x"))),
              Clock.systemUTC());
      assertTrue(rendered.text().contains("n<x> x\\\"") && rendered.text().contains("gt;end"));
      assertEquals(List.of(387), special(rendered.tokens(), tokenizer));
    }
  }

  /**
   * A vocabulary may have its special tokens among the pieces of text. Expected is what Hugging
   * Face's tokenizers make of it where these pieces have texts that do not occur.
   */
  @ParameterizedTest
  @CsvSource({
    "a<s>b, 21 49 4 74 24",
    "<s>, 71 4 74",
    "the <s> dog</s>, 11 71 4 74 12 10 49 57 4 74",
    "a <unk> b, 21 71 8 14 36 74 27",
    "<s><s>, 71 4 74 49 4 74",
  })
  void whatLooksLikeASpecialPieceIsMadeOfOthersAsIfThereWereNoSuchPiece(String said, String ids)
      throws Exception {
    Path model = resource("unigram");
    ObjectNode json = (ObjectNode) TinyModels.json(model.resolve("tokenizer.json"));
    Files.copy(model.resolve("tokenizer_config.json"), directory.resolve("tokenizer_config.json"));
    Files.writeString(directory.resolve("config.json"), "{}");
    Files.writeString(directory.resolve("chat_template.jinja"), "{{ messages[0].content }}");
    for (String last : List.of("model", "added_tokens")) { // their order is the file's
      json.set(last, Objects.requireNonNull(json.remove(last)));
      Files.writeString(directory.resolve("tokenizer.json"), json.toString());
      try (ChatTokenizer text = Tokenizers.open(ModelDirectory.of(directory)).get()) {
        assertEquals(
            ids,
            Arrays.stream(text.encodeChat(List.of(ChatMessage.user(said))))
                .mapToObj(Integer::toString)
                .collect(Collectors.joining(" ")));
      }
    }
  }

  /**
   * Merges may lead to any piece, and a whole word that is a piece is taken without one.
   *
   * @param list whether each merge is a list of two or a text
   */
  @ParameterizedTest
  @CsvSource({"true, true", "true, false", "false, true", "false, false"})
  void noMergeLeadsToASpecialPiece(boolean list, boolean wholeFirst) throws Exception {
    ObjectNode json =
        (ObjectNode) TinyModels.json(resource("byte-level").resolve("tokenizer.json"));
    ObjectNode model = (ObjectNode) json.get("model");
    ObjectNode pieces = (ObjectNode) model.get("vocab");
    List<String> special = List.of("<e", "<end", "n>");
    ArrayNode added = json.putArray("added_tokens");
    for (String piece : special) {
      int id = pieces.size();
      pieces.put(piece, id);
      added.addObject().put("id", id).put("content", piece).put("special", true);
    }
    pieces.put("<n", pieces.size()).put("<n>", pieces.size() + 1).put("en>", pieces.size() + 2);
    ArrayNode merges = model.putArray("merges");
    for (String pair : List.of("< e", "n >", "< n", "<n >", "e n>")) {
      if (list) {
        List.of(pair.split(" ")).forEach(merges.addArray()::add);
      } else {
        merges.add(pair);
      }
    }
    model.put("ignore_merges", wholeFirst).put("unk_token", "<end");
    json.putNull("post_processor");
    json.set(
        "pre_tokenizer",
        JSON.readTree(
            "{\"type\": \"ByteLevel\", \"add_prefix_space\": false, \"trim_offsets\": true,"
                + " \"use_regex\": false}"));
    Files.writeString(directory.resolve("tokenizer.json"), json.toString());
    Files.writeString(directory.resolve("config.json"), "{}");
    Files.writeString(directory.resolve("chat_template.jinja"), "{{ messages[0].content }}");
    JsonNode known = JSON.createObjectNode().set("added", added);
    try (ChatTokenizer text = Tokenizers.open(ModelDirectory.of(directory)).get()) {
      for (String said : List.of("<e", "<end", "n>", "en>", "<en>")) {
        int[] ids = text.encodeChat(List.of(ChatMessage.user(said)));
        assertEquals(List.of(), special(ids, known), said);
        assertEquals(said, text.decode(ids));
      }
      int[] whole = text.encodeChat(List.of(ChatMessage.user("<n>")));
      assertEquals(1, whole.length, "merges that lead to no special piece stay");
    }
  }

  @Test
  @org.junit.jupiter.api.Timeout(20)
  void specialTokensWrittenAgainAndAgainCostWhatTheirLengthSays() throws Exception {
    Path model = resource("unigram");
    for (String file : List.of("tokenizer.json", "tokenizer_config.json")) {
      Files.copy(model.resolve(file), directory.resolve(file));
    }
    Files.writeString(directory.resolve("config.json"), "{}");
    try (ChatTokenizer text = Tokenizers.open(ModelDirectory.of(directory)).get()) {
      for (String special : List.of("<s>", "</s>", "<unk>", "a<s>")) {
        int few = text.encodeChat(List.of(ChatMessage.user(special.repeat(1000)))).length;
        int many = text.encodeChat(List.of(ChatMessage.user(special.repeat(30_000)))).length;
        assertEquals(30.0, (double) many / few, 0.5, special);
      }
    }
  }

  /** As a stranger's tokenizer may be that lacks it. */
  @Test
  void aTextThatTheTokenizerHasNoTokenForIsRefused() throws Exception {
    Path model = resource("unigram");
    ObjectNode json = (ObjectNode) TinyModels.json(model.resolve("tokenizer.json"));
    ((ObjectNode) json.get("model")).putNull("unk_id").put("byte_fallback", false);
    Files.writeString(directory.resolve("tokenizer.json"), json.toString());
    Files.writeString(directory.resolve("config.json"), "{}");
    try (ChatTokenizer text = Tokenizers.open(ModelDirectory.of(directory)).get()) {
      Refusal.assertRefused(ModelException.class, () -> text.encode("\u4e00", false), "unk_id");
    }
  }

  /** Many blanks before a token that strips them take no time to speak of. */
  @Test
  @org.junit.jupiter.api.Timeout(20)
  void blanksNextToATokenThatStripsThemAreLookedAtOnce() throws IOException {
    AddedTokens tokens =
        new AddedTokens(
            List.of(
                new AddedToken(0, "<|end|>", true, false, true, true, false),
                new AddedToken(1, "<s>", true, false, true, true, false)));
    String blanks = " ".repeat(4_000_000);
    String text = blanks + "<|end|>" + blanks + "<|en" + blanks;
    assertEquals(2, tokens.cut(text, text).size());
  }
}
