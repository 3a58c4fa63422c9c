package dev.semantic.mlx.tokenizer;

import static dev.semantic.mlx.testing.Refusal.assertRefused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.generate.ChatMessage;
import dev.semantic.model.ModelException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Tokenizers of GGUF files cut text as those of the models that they come from. What is expected
 * was made by Hugging Face's tokenizers with the patterns of those models' own files.
 */
class GgufTokenizerTest {
  private final List<String> tokens = new ArrayList<>();
  private final List<String> merges = new ArrayList<>();
  private final Map<String, Object> metadata = new HashMap<>();

  GgufTokenizerTest() {
    "<s>|H|e|l|o|W|r|d|n|'|t|1|2|3|4|/|.|x|y|z|xyz|Ġ|Ċ"
        .replace("|", " ")
        .lines()
        .flatMap(line -> Arrays.stream(line.split(" ", -1)))
        .forEach(tokens::add);
    word("HelloWorld");
    word("World");
    word("Ġdon't");
    word("'t");
    word("Ġ1234");
    word("1234");
    word("./Ċ");
    metadata.put("tokenizer.ggml.model", "gpt2");
    metadata.put("tokenizer.ggml.bos_token_id", 0L);
  }

  /** Letter by letter, so that only what is cut apart stays apart. */
  private void word(String word) {
    for (int end = 2; end <= word.length(); end++) {
      String merge = word.substring(0, end - 1) + " " + word.substring(end - 1, end);
      if (!merges.contains(merge)) {
        merges.add(merge);
        if (!tokens.contains(word.substring(0, end))) {
          tokens.add(word.substring(0, end));
        }
      }
    }
  }

  private ChatTokenizer open(String pre) {
    metadata.put("tokenizer.ggml.pre", pre);
    metadata.put("tokenizer.ggml.tokens", tokens);
    metadata.put("tokenizer.ggml.merges", merges);
    return Tokenizers.open(Path.of("model.gguf"), metadata).get();
  }

  private String pieces(String pre, String text) {
    try (ChatTokenizer codec = open(pre)) {
      return Arrays.stream(codec.encode(text, false))
          .mapToObj(tokens::get)
          .collect(Collectors.joining(" "));
    }
  }

  @ParameterizedTest
  @CsvSource(
      quoteCharacter = '`',
      value = {
        "gpt-2,     HelloWorld Ġdon 't Ġ1234 ./ Ċ",
        "smollm,    HelloWorld Ġdon 't Ġ 1 2 3 4 ./ Ċ",
        "qwen2,     HelloWorld Ġdon 't Ġ 1 2 3 4 ./Ċ",
        "llama-bpe, HelloWorld Ġdon 't Ġ 123 4 ./Ċ",
        "dbrx,      HelloWorld Ġdon 't Ġ 123 4 ./Ċ",
        "tekken,    Hello World Ġdon 't Ġ 1 2 3 4 ./Ċ",
        "gpt-4o,    Hello World Ġdon't Ġ 123 4 ./Ċ"
      })
  void textIsCutAsTheModelsOwnTokenizerCutsIt(String pre, String expected) {
    assertEquals(expected, pieces(pre, "HelloWorld don't 1234./\n"));
  }

  /** Llama 3 has some thousand tokens that no merges lead to. */
  @ParameterizedTest
  @CsvSource({"llama-bpe, xyz", "tekken, xyz", "dbrx, x y z", "qwen2, x y z", "gpt-2, x y z"})
  void aWholePieceIsItsTokenWhereTheModelWantsItSo(String pre, String expected) {
    assertEquals(expected, pieces(pre, "xyz"));
  }

  @ParameterizedTest
  @CsvSource({"llama-bpe, true", "tekken, true", "dbrx, false", "qwen2, false", "gpt-2, false"})
  void whereTheFileDoesNotSayTheModelsHabitDecidesHowTextBegins(String pre, boolean expected) {
    try (ChatTokenizer codec = open(pre)) {
      assertEquals(expected, codec.beginsWithBos());
    }
  }

  @Test
  void whatTheFileSaysComesBeforeTheHabit() {
    metadata.put("tokenizer.ggml.add_bos_token", false);
    try (ChatTokenizer codec = open("llama-bpe")) {
      assertEquals(false, codec.beginsWithBos());
    }
  }

  private String fingerprint(List<String> words, List<String> pairs) {
    metadata.put("tokenizer.ggml.pre", "gpt-2");
    metadata.put("tokenizer.ggml.tokens", words);
    metadata.put("tokenizer.ggml.merges", pairs);
    return Tokenizers.fingerprint(new GgufVocabulary(Path.of("model.gguf"), metadata));
  }

  /** Otherwise the tokenizer that is kept of one file is used for the other. */
  @Test
  void vocabulariesOfOneTextAreToldApartByWhereItIsCut() {
    assertNotEquals(
        fingerprint(List.of("a", "b\0c"), List.of()), fingerprint(List.of("a\0b", "c"), List.of()));
    assertNotEquals(
        fingerprint(tokens, List.of("H e", "l l")), fingerprint(tokens, List.of("H el", " l")));
    assertNotEquals(
        fingerprint(List.of("a\0b"), List.of()), fingerprint(List.of("a", "b"), List.of()));
    assertEquals(fingerprint(tokens, merges), fingerprint(tokens, merges));
  }

  @Test
  void whatIsKeptIsUsedOnlyAsItWasWritten(@TempDir Path directory) throws Exception {
    KeptTokenizer kept = new KeptTokenizer(directory, "a".repeat(64));
    assertTrue(kept.read().isEmpty());
    kept.write("{}".getBytes(StandardCharsets.UTF_8));
    assertEquals("{}", new String(kept.read().orElseThrow(), StandardCharsets.UTF_8));
    assertTrue(new KeptTokenizer(directory, "b".repeat(64)).read().isEmpty());
    try (DirectoryStream<Path> files = Files.newDirectoryStream(directory)) {
      for (Path file : files) {
        Files.writeString(file, "[]");
      }
    }
    assertTrue(kept.read().isEmpty());
  }

  @Test
  void anUnknownWayOfCuttingIsNamedBesideTheKnown() {
    assertRefused(
        ModelException.class,
        () -> open("viking"),
        "model.gguf",
        "'viking'",
        "known are dbrx, deepseek-r1-qwen, default, gpt-2, gpt-4o, llama-bpe, llama3, qwen2,"
            + " smollm, tekken");
  }

  /** Whatever kind of token the file says it is; words of HTML only where they are no words. */
  @Test
  void whatEndsATurnIsKnownByItsText() {
    List<Integer> types = new ArrayList<>(java.util.Collections.nCopies(tokens.size(), 1));
    for (String end : List.of("<|endoftext|>", "<|im_end|>", "</s>", "[EOT]")) {
      tokens.add(end);
      types.add(end.equals("<|endoftext|>") ? 3 : end.equals("<|im_end|>") ? 4 : 1);
    }
    metadata.put("tokenizer.ggml.token_type", types);
    metadata.put("tokenizer.ggml.eos_token_id", (long) tokens.indexOf("<|endoftext|>"));
    try (ChatTokenizer codec = open("gpt-2")) {
      int end = tokens.indexOf("<|im_end|>");
      assertEquals(
          java.util.Set.of(tokens.indexOf("<|endoftext|>"), end, tokens.indexOf("[EOT]")),
          codec.endTokens());
      assertEquals("", codec.decode(new int[] {end}), "it is no text");
    }
  }

  @Test
  void mergesThatLeadToNoTokenAreLeftOut() {
    merges.add("x y");
    merges.add("xy z");
    merges.add("nothing H");
    tokens.remove("xyz");
    assertEquals("x y z Hello", pieces("gpt-2", "xyzHello"));
  }

  /** Neither by a merge nor as a whole piece nor as a single letter. */
  @ParameterizedTest
  @ValueSource(strings = {"llama-bpe", "gpt-2"})
  void noTextIsASpecialPiece(String pre) {
    List<Integer> types = new ArrayList<>(java.util.Collections.nCopies(tokens.size(), 1));
    for (String special : List.of("xyz", "Hello", "H")) {
      if (!tokens.contains(special)) {
        tokens.add(special);
        types.add(1);
      }
      types.set(tokens.indexOf(special), 3);
    }
    metadata.put("tokenizer.ggml.token_type", types);
    metadata.put("tokenizer.chat_template", "{{ messages[0].content }}");
    try (ChatTokenizer codec = open(pre)) {
      for (int id : codec.encodeChat(List.of(ChatMessage.user("xyzHello")))) {
        assertEquals(1, types.get(id), tokens.get(id));
      }
    }
  }

  /** The space that was put in front is no part of what is read back. */
  @Test
  void aSpaceThatWasPutInFrontIsTakenAwayAgain() {
    Map<String, Object> sentences = new HashMap<>();
    sentences.put("tokenizer.ggml.model", "llama");
    sentences.put("tokenizer.ggml.tokens", List.of("<unk>", "<s>", "▁", "H", "i", "▁H", "▁Hi"));
    sentences.put("tokenizer.ggml.scores", List.of(0f, 0f, -3f, -4f, -5f, -2f, -1f));
    sentences.put("tokenizer.ggml.token_type", List.of(2, 3, 1, 1, 1, 1, 1));
    sentences.put("tokenizer.ggml.bos_token_id", 1L);
    sentences.put("tokenizer.ggml.unknown_token_id", 0L);
    try (ChatTokenizer codec = Tokenizers.open(Path.of("model.gguf"), sentences).get()) {
      assertEquals("[6]", Arrays.toString(codec.encode("Hi", false)));
      assertEquals("Hi", codec.decode(codec.encode("Hi", true)));
      assertEquals("Hi Hi", codec.decode(codec.encode("Hi Hi", false)));
    }
  }

  /** A stranger's file may call any piece a byte. */
  @Test
  void aPieceThatIsCalledAByteAndIsNoneIsText() {
    metadata.clear();
    metadata.put("tokenizer.ggml.model", "llama");
    metadata.put("tokenizer.ggml.tokens", List.of("<unk>", "a", "<0x41>", "<", "<0xzz>"));
    metadata.put("tokenizer.ggml.scores", List.of(0f, -1f, -2f, -3f, -4f));
    metadata.put("tokenizer.ggml.token_type", List.of(2, 1, 6, 6, 6));
    metadata.put("tokenizer.ggml.unknown_token_id", 0L);
    try (ChatTokenizer codec = Tokenizers.open(Path.of("model.gguf"), metadata).get()) {
      assertEquals("aA<<0xzz>", codec.decode(new int[] {1, 2, 3, 4}));
    }
  }
}
