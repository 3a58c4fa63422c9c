package dev.semantic.mlx.tokenizer;

import static dev.semantic.mlx.testing.Refusal.assertRefused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.semantic.generate.ChatMessage;
import dev.semantic.mlx.files.ModelDirectory;
import dev.semantic.mlx.testing.Reference;
import dev.semantic.mlx.testing.TinyModels;
import dev.semantic.model.ModelException;
import dev.semantic.spi.Tokenizer;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Tokenizers that lie in directories cut and read text as Hugging Face's own library does. */
class DirectoryTokenizerTest {
  @TempDir private Path directory = Path.of("");

  private static Path resource(String name) throws URISyntaxException {
    return Path.of(
        Objects.requireNonNull(DirectoryTokenizerTest.class.getResource("/tokenizers/" + name))
            .toURI());
  }

  /** Beside a configuration, which a directory of a model has. */
  private ModelDirectory model(String name) throws Exception {
    for (String file :
        List.of("tokenizer.json", "tokenizer_config.json", "generation_config.json")) {
      Files.copy(resource(name).resolve(file), directory.resolve(file));
    }
    Files.writeString(directory.resolve("config.json"), "{\"eos_token_id\": 0}");
    return ModelDirectory.of(directory);
  }

  @ParameterizedTest
  @ValueSource(strings = {"byte-level", "sentencepiece-prepend", "sentencepiece-plain", "unigram"})
  void tokensAndTextsAreThoseOfTheReference(String name) throws Exception {
    JsonNode expected = TinyModels.json(resource(name).resolve("expected.json"));
    try (ChatTokenizer text = Tokenizers.open(model(name)).get()) {
      for (JsonNode each : expected.get("cases")) {
        String plain = each.get("text").textValue();
        int[] ids = Reference.ints(each.get("ids"));
        assertArrayEquals(ids, text.encode(plain, false), plain);
        assertEquals(each.get("decoded").textValue(), text.decode(ids));
        assertEquals(each.get("decoded").textValue(), streamed(text, ids));
      }
      assertEquals(expected.get("bos").booleanValue(), text.beginsWithBos());
      TreeSet<Integer> ends = new TreeSet<>();
      expected.get("ends").forEach(end -> ends.add(end.intValue()));
      assertEquals(ends, new TreeSet<>(text.endTokens()));
      List<ChatMessage> chat = List.of(ChatMessage.user("Hello there"));
      assertTrue(text.hasChatTemplate());
      assertEquals("<|user|>Hello there<|end|>\n<|assistant|>", text.renderChat(chat));
      assertArrayEquals(Reference.ints(expected.get("chat")), text.encodeChat(chat));
    }
  }

  /** As editors leave files: with a mark in front, indented, and in another order. */
  @Test
  void howAFileIsWrittenDoesNotMatter() throws Exception {
    ModelDirectory model = model("byte-level");
    Path file = directory.resolve("tokenizer.json");
    String text = "a <|end|> bé 🙂";
    ObjectNode tokenizer = (ObjectNode) TinyModels.json(file);
    tokenizer.set("added_tokens", tokenizer.remove("added_tokens"));
    tokenizer.putObject("truncation").put("max_length", 1);
    Files.writeString(file, "\ufeff" + tokenizer.toPrettyString());
    try (ChatTokenizer written = Tokenizers.open(model).get()) {
      Files.copy(
          resource("byte-level").resolve("tokenizer.json"),
          file,
          StandardCopyOption.REPLACE_EXISTING);
      try (ChatTokenizer plain = Tokenizers.open(model).get()) {
        assertArrayEquals(plain.encode(text, false), written.encode(text, false));
      }
    }
  }

  private static String streamed(Tokenizer text, int[] ids) {
    StringBuilder all = new StringBuilder();
    Tokenizer.TokenStream stream = text.stream(false);
    for (int id : ids) {
      all.append(stream.next(id));
    }
    return all.append(stream.rest()).toString();
  }

  @Test
  void whatLooksLikeASpecialTokenInAMessageStaysText() throws Exception {
    try (ChatTokenizer text = Tokenizers.open(model("byte-level")).get()) {
      int end = text.encode("<|end|>", false)[0];
      int[] attacked = text.encodeChat(List.of(ChatMessage.user("a<|end|>b")));
      int found = 0;
      for (int id : attacked) {
        found += id == end ? 1 : 0;
      }
      assertEquals(1, found, "the template's own");
      assertTrue(text.decode(attacked).contains("a<|end|>b"));
    }
  }

  @Test
  void nothingIsRememberedOfTextsThatAreToBeForgotten() throws Exception {
    HfTokenizer text = (HfTokenizer) Tokenizers.open(model("byte-level")).get();
    try (SharedCodec shared = new SharedCodec(text)) {
      shared.encodeChat(List.of(ChatMessage.user("a secret")));
      assertTrue(text.remembered() > 0);
      shared.forgetTexts();
      assertEquals(0, text.remembered());
    }
  }

  @Test
  void aTemplateOfItsOwnFileComesFirst() throws Exception {
    ModelDirectory model = model("byte-level");
    Files.writeString(directory.resolve("chat_template.jinja"), "{{ messages[0].content }}!");
    try (ChatTokenizer text = Tokenizers.open(model).get()) {
      assertEquals("Hi!", text.renderChat(List.of(ChatMessage.user("Hi"))));
    }
  }

  @Test
  void aTemplateInAJsonFileOfItsOwnIsRead() throws Exception {
    ModelDirectory model = model("byte-level");
    Files.writeString(directory.resolve("tokenizer_config.json"), "{}");
    Files.writeString(
        directory.resolve("chat_template.json"),
        "{\"chat_template\": \"{{ messages[0].content }}?\"}");
    try (ChatTokenizer text = Tokenizers.open(model).get()) {
      assertEquals("Hi?", text.renderChat(List.of(ChatMessage.user("Hi"))));
    }
  }

  @Test
  void aRoleThatNobodyKnowsIsRefusedByName() throws Exception {
    ModelDirectory model = model("byte-level");
    Files.writeString(
        directory.resolve("chat_template.jinja"),
        "{% for m in messages %}{% if m.role == 'critic' %}!{% endif %}{{ m.content }}{% endfor"
            + " %}");
    try (ChatTokenizer text = Tokenizers.open(model).get()) {
      List<ChatMessage> typo = List.of(ChatMessage.user("a"), new ChatMessage("asistant", "b"));
      assertRefused(ModelException.class, () -> text.encodeChat(typo), "Message 2", "'asistant'");
      assertRefused(ModelException.class, () -> text.renderChat(typo), "'asistant'");
      assertEquals("!c", text.renderChat(List.of(new ChatMessage("critic", "c"))));
    }
  }

  /** What is shown is what is computed, also where a template cuts at a special token. */
  @Test
  void bothWaysToRenderAConversationGiveTheSameTokens() throws Exception {
    ModelDirectory model = model("byte-level");
    Files.writeString(
        directory.resolve("chat_template.jinja"),
        "{% for m in messages %}<|user|>{{ m.content.split('<|end|>')[-1] }}<|end|>{% endfor %}"
            + "{{ documents is defined }}");
    String cut = "thought <|end|>said </s>";
    try (ChatTokenizer text = Tokenizers.open(model).get()) {
      int[] shown =
          text.render(
                  Map.of("messages", List.of(Map.of("role", "user", "content", cut))),
                  Clock.systemUTC())
              .tokens();
      assertArrayEquals(shown, text.encodeChat(List.of(ChatMessage.user(cut))));
      assertEquals("said </s>True", text.decode(shown));
    }
  }

  /** Space in front of the very first text only, as Hugging Face's tokenizers have it. */
  @ParameterizedTest
  @ValueSource(strings = {"first", "never"})
  void aSpaceIsPutInFrontWhereTheTokenizerWantsIt(String scheme) throws Exception {
    ModelDirectory model = model("sentencepiece-plain");
    Path file = directory.resolve("tokenizer.json");
    ObjectNode tokenizer = (ObjectNode) TinyModels.json(file);
    tokenizer.putNull("normalizer");
    tokenizer
        .putObject("pre_tokenizer")
        .put("type", "Metaspace")
        .put("replacement", "▁")
        .put("prepend_scheme", scheme)
        .put("split", false);
    Files.writeString(file, tokenizer.toString());
    try (ChatTokenizer text = Tokenizers.open(model).get()) {
      int[] first = text.encode("Hello", false);
      int[] later = text.encode("<|end|>Hello", false);
      assertEquals(scheme.equals("never"), Arrays.equals(first, tail(later)));
      int[] both = text.encode("Hello<|end|>Hello", false);
      assertArrayEquals(tail(later), Arrays.copyOfRange(both, first.length + 1, both.length));
    }
  }

  private static int[] tail(int[] tokens) {
    return Arrays.copyOfRange(tokens, 1, tokens.length);
  }

  /** Of several templates by name; messages, tools and settings of any kind. */
  @Test
  void aConversationWithToolsHasTheTemplateForTools() throws Exception {
    ModelDirectory model = model("byte-level");
    Files.writeString(
        directory.resolve("tokenizer_config.json"),
        """
        {"eos_token": "<|end|>", "chat_template": [
          {"name": "default", "template": "{{ messages[0].content }}{{ mood }}<|end|>"},
          {"name": "tool_use",
           "template": "{{ tools[0].name }} {{ messages[0].tool_calls[0].id }} {{ strftime_now('%Y') }}{{ eos_token }}"}]}
        """);
    Clock clock = Clock.fixed(Instant.parse("2021-05-01T12:00:00Z"), ZoneOffset.UTC);
    List<?> messages =
        List.of(
            Map.of("role", "user", "content", "Hi<|end|>", "tool_calls", List.of(Map.of("id", 7))));
    try (ChatTokenizer text = Tokenizers.open(model).get()) {
      ChatTokenizer.Rendered plain = text.render(Map.of("messages", messages, "mood", "!"), clock);
      assertEquals("Hi<|end|>!<|end|>", plain.text());
      int end = text.encode("<|end|>", false)[0];
      assertEquals(1, Arrays.stream(plain.tokens()).filter(id -> id == end).count());
      assertEquals("Hi<|end|>!", text.decode(plain.tokens()));
      ChatTokenizer.Rendered used =
          text.render(
              Map.of("messages", messages, "tools", List.of(Map.of("name", "clock"))), clock);
      assertEquals("clock 7 2021<|end|>", used.text());
      assertArrayEquals(text.encode("clock 7 2021<|end|>", false), used.tokens());
      assertEquals("Hi<|end|>", text.renderChat(List.of(ChatMessage.user("Hi"))));
    }
  }

  /** A template may cut an answer where a special token stands in it. */
  @Test
  void whatATemplateLooksForInAMessageItFinds() throws Exception {
    ModelDirectory model = model("byte-level");
    Files.writeString(
        directory.resolve("chat_template.jinja"), "{{ messages[0].content.split('<|end|>')[1] }}");
    try (ChatTokenizer text = Tokenizers.open(model).get()) {
      List<?> messages = List.of(Map.of("content", "thought<|end|>said"));
      ChatTokenizer.Rendered cut = text.render(Map.of("messages", messages), Clock.systemUTC());
      assertEquals("said", cut.text());
      assertArrayEquals(text.encode("said", false), cut.tokens());
    }
  }

  @Test
  void whatCannotBeUsedIsNamed() throws Exception {
    ModelDirectory model = model("byte-level");
    Path file = directory.resolve("tokenizer.json");
    String whole = Files.readString(file);
    refused(
        model, file, whole.replace("\"ByteLevel\"", "\"Telepathy\""), "'Telepathy'", "Metaspace");
    refused(model, file, whole.substring(0, whole.length() / 2), "tokenizer.json");
    refused(model, file, "[]", "no JSON object");
    refused(model, file, "{\"version\": \"1.0\"}", "no model");
    refused(model, file, "{\"model\": 7}", "no JSON object");
    refused(model, file, "{\"added_tokens\": [{\"id\": -1, \"content\": \"a\"}]}", "added token");
    refused(model, file, "{\"a\":" + "[".repeat(5_000), "depth");
    refused(model, file, "{\"version\": 1, \"version\": 1}", "'version' is there twice");
    refused(model, file, "{\"model\": {\"unk_id\": 1, \"unk_id\": 1}}", "'unk_id'");
    refused(model, file, "{\"model\": {\"vocab\": {\"a\": 1, \"a\": 2}}}", "'a' is there twice");
    refused(model, file, "{\"decoder\": {\"a\": 1, \"a\": 2}, \"model\": {}}", "'a'");
    refused(model, file, whole + "{}", "behind its end");
    Files.writeString(file, whole, StandardCharsets.UTF_16);
    assertRefused(ModelException.class, () -> Tokenizers.open(model), "UTF-8");
    refused(model, file, whole + "x", "'x'");
    refused(model, file, "{\"added_tokens\": \"x\", \"model\": {\"vocab\": {}}}", "no list");
    refused(model, file, "{\"decoder\": 3, \"model\": {\"vocab\": {}}}", "its decoder is ''");
    refused(
        model,
        file,
        "{\"post_processor\": {\"type\": \"Sequence\", \"processors\": [{\"type\": \"Magic\"}]},"
            + " \"model\": {\"vocab\": {}}}",
        "post-processor is 'Magic'",
        "TemplateProcessing");
    refused(
        model,
        file,
        "{\"normalizer\": {\"type\": \"Sequence\"}, \"model\": {\"vocab\": {}}}",
        "normalizer",
        "without a list");
    Files.writeString(file, whole);
    Files.writeString(directory.resolve("chat_template.jinja"), "{% if %}");
    assertRefused(ModelException.class, () -> Tokenizers.open(model), "chat_template.jinja");
    Files.delete(directory.resolve("chat_template.jinja"));
    Files.writeString(directory.resolve("tokenizer_config.json"), "{");
    assertRefused(ModelException.class, () -> Tokenizers.open(model), "tokenizer_config.json");
  }

  /** Whatever was damaged, it is found before anybody makes room for the model. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{} | no vocabulary",
        "{\"type\": \"Oracle\", \"vocab\": {}} | kind 'Oracle'; known are BPE",
        "{\"type\": null, \"vocab\": {}} | kind ''",
        "{\"byte_fallback\": [1], \"vocab\": null} | neither an object nor a list",
        "{\"byte_fallback\": {\"vocab\": {}}} | no vocabulary",
        "{\"vocab\": null} | neither an object nor a list",
        "{\"vocab\": \"x\"} | neither an object nor a list",
        "{\"vocab\": {\"a\": null}} | the token 'a' has no number",
        "{\"vocab\": {\"a\": [1]}} | the token 'a' has no number",
        "{\"vocab\": {\"a\": 1.5}} | the token 'a' has no number",
        "{\"vocab\": {\"a\": -1}} | the token 'a' is -1",
        "{\"vocab\": {\"a\": 5000000000}} | the token 'a' is 5000000000",
        "{\"vocab\": [\"a\", \"b\"]} | token 0 has no text",
        "{\"vocab\": [[\"a\", -1.5], [null, 0]]} | token 1 has no text",
        "{\"vocab\": [[\"a\", \"b\"]]} | token 0 has no score",
        "{\"vocab\": {}, \"merges\": null} | merges are no list",
        "{\"vocab\": {}, \"merges\": [\"a b\", 7]} | no pair",
        "{\"vocab\": {}, \"merges\": [[\"a\", \"b\"], [\"a\"]]} | no pair",
      })
  void aDamagedModelOfATokenizerIsNamed(String model, String word) throws Exception {
    ModelDirectory whole = model("byte-level");
    Path file = directory.resolve("tokenizer.json");
    refused(whole, file, "{\"model\": " + model + "}", "tokenizer.json", word);
  }

  private static void refused(ModelDirectory model, Path file, String content, String... words)
      throws IOException {
    Files.writeString(file, content);
    assertRefused(ModelException.class, () -> Tokenizers.open(model), words);
  }

  @Test
  void aModelWithoutATokenizerTakesTokensAlone() throws IOException {
    Files.writeString(directory.resolve("config.json"), "{\"eos_token_id\": [1, 7]}");
    try (ChatTokenizer text = Tokenizers.open(ModelDirectory.of(directory)).get()) {
      assertEquals(new TreeSet<>(List.of(1, 7)), new TreeSet<>(text.endTokens()));
      assertEquals("", text.stream(true).next(5));
      assertFalse(text.hasChatTemplate());
      assertRefused(ModelException.class, () -> text.encode("a", false), "no tokenizer.json");
      assertRefused(ModelException.class, () -> text.decode(new int[] {1}), "no tokenizer.json");
    }
  }
}
