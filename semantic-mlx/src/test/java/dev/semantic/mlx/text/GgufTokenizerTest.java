package dev.semantic.mlx.text;

import static dev.semantic.mlx.testing.Refusal.assertRefused;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.semantic.model.ModelException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

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

  private ModelCodec open(String pre) {
    metadata.put("tokenizer.ggml.pre", pre);
    metadata.put("tokenizer.ggml.tokens", tokens);
    metadata.put("tokenizer.ggml.merges", merges);
    return Tokenizers.open(Path.of("model.gguf"), metadata).get();
  }

  private String pieces(String pre, String text) {
    try (ModelCodec codec = open(pre)) {
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
    try (ModelCodec codec = open(pre)) {
      assertEquals(expected, codec.beginsWithBos());
    }
  }

  @Test
  void whatTheFileSaysComesBeforeTheHabit() {
    metadata.put("tokenizer.ggml.add_bos_token", false);
    try (ModelCodec codec = open("llama-bpe")) {
      assertEquals(false, codec.beginsWithBos());
    }
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
}
