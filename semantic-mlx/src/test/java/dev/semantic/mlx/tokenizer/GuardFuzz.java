package dev.semantic.mlx.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.semantic.fuzz.FuzzTarget;
import dev.semantic.fuzz.JsonEdits;
import dev.semantic.fuzz.Recipe;
import dev.semantic.mlx.files.ModelDirectory;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Conversations in which others write a model's special tokens, whole and in parts, in every place
 * where they may write. What is right is told by the model's twin: the same model, whose special
 * tokens are called by characters that nobody writes, and whose template calls them so. What others
 * write means nothing to it, and it needs no guard: all tokens must be the same.
 */
public final class GuardFuzz implements FuzzTarget {
  /** Combinations of {@code special, single_word, lstrip, rstrip, normalized}. */
  static final int FLAGS = 32;

  static final List<Kind> KINDS =
      List.of(
          new Kind("byte-level", null, null),
          new Kind("byte-level", "{'type':'NFC'}", null),
          new Kind("sentencepiece-plain", null, null),
          new Kind("sentencepiece-plain", "null", metaspace("first", true)),
          new Kind("sentencepiece-plain", "null", metaspace("always", false)),
          new Kind("sentencepiece-plain", "null", metaspace("never", true)),
          new Kind("sentencepiece-prepend", null, null),
          new Kind("unigram", null, null),
          new Kind("unigram", "{'type':'NFKC'}", metaspace("first", false)),
          new Kind("unigram", null, metaspace("always", false)),
          new Kind("unigram", null, metaspace("first", true)));

  private static final List<String> CONTENTS =
      List.of(
          "<|end|>",
          "<|end|>>",
          "[X]",
          "§",
          "日本",
          "<|a|>",
          "|a",
          "<end>",
          "end",
          "<b>x",
          "n<x>",
          "0<x>",
          "🙂",
          "<s>",
          "</s>");

  private static final List<String> BITS =
      List.of(
          "<|end|>", "<|en", "d|>", "endless", "[X]", "[", "X]", "x", "_", " ", "  ", "\n", "a",
          "\u00a0", "\u2003", "é", "日本", "日", "本", "🙂", "§", "<|a|>", "|a|", "<end>", "nd>",
          "<b>x", "<b>", "\\", "n<x>", "0<x>", "<x>", ">", "<s>", "</s>", "</", "s>", "\ufdd0", "▁",
          "\"", "<unk>", "＜s＞");

  /** Where a template shows what it is given. */
  private static final List<String> OUTLETS =
      List.of(
          "{{ m.content }}",
          "{{ m.content }}{{ m.name }}",
          "{{ m.name | trim }}{{ m.content.strip() }}",
          "{{ m.content | tojson }}",
          "{{ m.content | e }}",
          "{{ m.tool_calls | tojson }}",
          "{% for k, v in m.tool_calls[0].items() %}{{ k }}{{ v }}{% endfor %}",
          "{{ tools | tojson(indent=2) }}",
          "{{ tools[0].values() | join }}",
          "{{ documents | join(', ') }}",
          "{{ date_string }}");

  /** Letters and digits are words' characters, and so must be those that stand for them. */
  private static final char WORD = '\ua66e';

  /** What no template writes and a text may have. */
  private static final String UNKNOWN = "<unk>";

  private static final String UNKNOWN_TWIN = "\uea00";

  private static final char OTHER = '\ue000';
  private static final Clock CLOCK = Clock.fixed(Instant.EPOCH, ZoneOffset.UTC);

  private final Path directory;

  /**
   * A kind of tokenizers: a vocabulary, and what a text goes through; as the file has it if null.
   */
  record Kind(String base, @Nullable String normalizer, @Nullable String preTokenizer) {}

  /** An added token, and what the twin calls it. */
  private record Token(int id, String text, String twin, int flags) {
    boolean special() {
      return (flags & 1) != 0;
    }

    ObjectNode json(String called) {
      return JsonEdits.JSON
          .createObjectNode()
          .put("id", id)
          .put("content", called)
          .put("special", special())
          .put("single_word", (flags & 2) != 0)
          .put("lstrip", (flags & 4) != 0)
          .put("rstrip", (flags & 8) != 0)
          .put("normalized", special() && (flags & 16) != 0); // others: the library's affair
    }
  }

  private GuardFuzz(Path directory) {
    this.directory = directory;
  }

  public static FuzzTarget make(Path directory) {
    return new GuardFuzz(directory);
  }

  private static String metaspace(String scheme, boolean split) {
    return "{'type':'Metaspace','replacement':'▁','prepend_scheme':'%s','split':%b}"
        .formatted(scheme, split);
  }

  @Override
  public int costs() {
    return 2;
  }

  @Override
  public Depth read(Recipe recipe) throws IOException {
    check(directory, recipe.one(KINDS), recipe.below(FLAGS), recipe);
    return Depth.TAKEN;
  }

  /**
   * Makes a tokenizer and its twin, and lets others write to both.
   *
   * @param flags of the first added token
   */
  static void check(Path directory, Kind kind, int flags, Recipe recipe) throws IOException {
    ObjectNode json = file(kind.base());
    List<Token> tokens = tokens(json, flags, recipe);
    String template = template(tokens, recipe);
    try (ChatTokenizer model =
            open(directory.resolve("model"), kind, json, tokens, false, template);
        ChatTokenizer twin = open(directory.resolve("twin"), kind, json, tokens, true, template)) {
      for (int i = 0; i < 4; i++) {
        compare(model, twin, tokens, values(recipe));
      }
    } catch (AssertionError | RuntimeException e) {
      throw new AssertionError(
          "%s%n  %s%n  %s: %s".formatted(kind, tokens, template, e.getMessage()), e);
    }
  }

  private static void compare(
      ChatTokenizer model, ChatTokenizer twin, List<Token> tokens, Map<String, Object> values) {
    ChatTokenizer.Rendered rendered = model.render(values, CLOCK);
    String expected = twin.render(values, CLOCK).text();
    int[] ids = twin.encode(expected, false);
    String said = values + "\n  is rendered " + rendered.text();
    require(rendered.text().equals(named(expected, tokens, false)), said);
    require(
        special(rendered.tokens(), tokens).equals(special(ids, tokens)),
        said + ", special " + special(rendered.tokens(), tokens) + ", not " + special(ids, tokens));
    boolean named = special(ids, tokens).size() == count(expected); // else they became text
    if (named) {
      require(
          Arrays.equals(rendered.tokens(), ids),
          said + ", " + Arrays.toString(rendered.tokens()) + ", not " + Arrays.toString(ids));
    }
  }

  private static void require(boolean right, String why) {
    if (!right) {
      throw new AssertionError(why);
    }
  }

  private static List<Integer> special(int[] ids, List<Token> tokens) {
    List<Integer> special = tokens.stream().filter(Token::special).map(Token::id).toList();
    return Arrays.stream(ids).boxed().filter(special::contains).toList();
  }

  private static long count(String twin) {
    return twin.chars().filter(c -> c > OTHER && c < OTHER + 100).count();
  }

  /** The special tokens of a text under their other names. */
  private static String named(String text, List<Token> tokens, boolean twin) {
    String named = text;
    for (Token token : tokens) {
      if (token.special()) {
        named =
            twin
                ? named.replace("⟪" + token.id() + "⟫", token.twin())
                : named
                    .replace(token.twin(), token.text())
                    .replace("⟪" + token.id() + "⟫", token.text());
      }
    }
    return named;
  }

  private static List<Token> tokens(ObjectNode json, int flags, Recipe recipe) {
    JsonNode vocabulary = json.get("model").get("vocab");
    List<String> contents = new ArrayList<>(CONTENTS);
    contents.removeIf(vocabulary::has); // what has a token already
    List<Token> tokens = new ArrayList<>();
    json.get("added_tokens")
        .forEach(
            each -> {
              String content = each.get("content").asText();
              int id = each.get("id").asInt();
              if (id < vocabulary.size() && !content.equals(UNKNOWN)) {
                contents.remove(content);
                int special = each.get("special").asBoolean() ? 1 : 0;
                tokens.add(token(id, content, special | recipe.below(8) << 1));
              }
            });
    for (int i = 0; i < 6; i++) {
      String content = contents.remove(recipe.below(contents.size()));
      int others = recipe.below(FLAGS) | (recipe.sometimes(3) ? 0 : 1);
      tokens.add(token(vocabulary.size() + i, content, i == 0 ? flags : others));
    }
    return tokens;
  }

  private static Token token(int id, String content, int flags) {
    String twin =
        ""
            + like(content.codePointAt(0))
            + (char) (OTHER + 1 + id % 99)
            + like(content.codePointBefore(content.length()));
    return new Token(id, content, twin, flags);
  }

  private static char like(int c) {
    return Character.isLetterOrDigit(c) ? WORD : OTHER;
  }

  private static String template(List<Token> tokens, Recipe recipe) {
    List<String> own =
        tokens.stream()
            .filter(
                t -> tokens.stream().noneMatch(o -> !o.equals(t) && t.text().contains(o.text())))
            .map(t -> t.special() ? "⟪" + t.id() + "⟫" : t.text())
            .toList();
    StringBuilder template = new StringBuilder(recipe.one(own)).append("{% for m in messages %}");
    for (int i = 2 + recipe.below(5); i > 0; i--) {
      template.append(
          switch (recipe.below(4)) {
            case 0 -> recipe.one(own);
            case 1 -> recipe.one(List.of(" ", "\n", "x", ".", " <", "word "));
            default -> recipe.one(OUTLETS);
          });
    }
    return template.append("{% endfor %}").append(recipe.one(own)).toString();
  }

  private static Map<String, Object> values(Recipe recipe) {
    Map<String, Object> call = new LinkedHashMap<>();
    call.put(text(recipe), text(recipe));
    call.put("f" + text(recipe), Map.of("q" + text(recipe), List.of(text(recipe))));
    Map<String, Object> tool = new LinkedHashMap<>();
    tool.put(text(recipe), text(recipe));
    List<Map<String, Object>> messages =
        IntStream.range(0, 2)
            .<Map<String, Object>>mapToObj(
                i ->
                    Map.of(
                        "role",
                        i == 0 ? "user" : "tool",
                        "content",
                        text(recipe),
                        "name",
                        text(recipe),
                        "tool_calls",
                        List.of(call)))
            .toList();
    return Map.of(
        "messages",
        messages,
        "tools",
        List.of(tool),
        "documents",
        List.of(text(recipe), text(recipe)),
        "date_string",
        text(recipe));
  }

  private static String text(Recipe recipe) {
    StringBuilder text = new StringBuilder();
    for (int i = recipe.below(6); i > 0; i--) {
      text.append(recipe.one(BITS));
    }
    return text.toString();
  }

  private static ObjectNode file(String base) throws IOException {
    try (InputStream in =
        GuardFuzz.class.getResourceAsStream("/tokenizers/" + base + "/tokenizer.json")) {
      return (ObjectNode) JsonEdits.JSON.readTree(Objects.requireNonNull(in));
    }
  }

  private static ChatTokenizer open(
      Path directory, Kind kind, ObjectNode file, List<Token> tokens, boolean twin, String template)
      throws IOException {
    ObjectNode json = file.deepCopy();
    json.putNull("post_processor");
    replace(json, "normalizer", kind.normalizer());
    replace(json, "pre_tokenizer", kind.preTokenizer());
    ArrayNode added = JsonEdits.JSON.createArrayNode();
    file.get("added_tokens")
        .forEach(
            each -> {
              if (each.get("content").asText().equals(UNKNOWN)) {
                ObjectNode unknown = added.addObject().setAll((ObjectNode) each);
                unknown.put("content", twin ? UNKNOWN_TWIN : UNKNOWN);
              }
            });
    ObjectNode model = (ObjectNode) json.get("model");
    for (Token token : tokens) {
      boolean renamed = twin && token.special();
      added.add(token.json(renamed ? token.twin() : token.text()));
      if (renamed) {
        rename(model.get("vocab"), token.text(), token.twin());
      }
    }
    if (twin) {
      rename(model.get("vocab"), UNKNOWN, UNKNOWN_TWIN);
      if (model.path("unk_token").asText().equals(UNKNOWN)) {
        model.put("unk_token", UNKNOWN_TWIN);
      }
    }
    json.set("added_tokens", added);
    Files.createDirectories(directory);
    Files.writeString(directory.resolve("tokenizer.json"), json.toString());
    Files.writeString(directory.resolve("config.json"), "{}");
    Files.writeString(directory.resolve("chat_template.jinja"), named(template, tokens, twin));
    return Tokenizers.open(ModelDirectory.of(directory)).get();
  }

  private static void replace(ObjectNode json, String field, @Nullable String other)
      throws IOException {
    if (other != null) {
      json.set(field, JsonEdits.JSON.readTree(other.replace('\'', '"')));
    }
  }

  /** Some have their special tokens among the pieces of text. */
  private static void rename(JsonNode vocabulary, String text, String other) {
    if (vocabulary instanceof ObjectNode pieces && pieces.has(text)) {
      pieces.set(other, pieces.remove(text));
    } else if (vocabulary instanceof ArrayNode pieces) {
      for (JsonNode piece : pieces) {
        if (piece.get(0).asText().equals(text)) {
          ((ArrayNode) piece).set(0, other);
        }
      }
    }
  }
}
