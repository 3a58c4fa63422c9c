package dev.semantic.mlx.tokenizer;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.semantic.io.Reason;
import dev.semantic.mlx.files.JsonText;
import dev.semantic.mlx.tokenizer.TokenizerModel.Edit;
import dev.semantic.model.ModelException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A {@code tokenizer.json} of Hugging Face's tokenizers, read without knowing its whole: what
 * matters here is its added tokens, its vocabulary, and which parts it is put together from.
 */
final class TokenizerFile {
  private static final long LARGEST = 512L << 20;
  private static final int MOST_ADDED_CHARACTERS = 1 << 22;
  private static final int MOST_PATTERNS = 100;
  private static final String ADDED_TOKENS = "added_tokens";
  private static final byte[] NULL = "null".getBytes(StandardCharsets.US_ASCII);

  /** What deals with special tokens, or with the length of a text. */
  private static final Set<String> SPECIAL =
      Set.of("truncation", "padding", "post_processor", ADDED_TOKENS);

  /**
   * Of the tokens' texts none comes twice in a file, so none is worth remembering. That no key
   * comes twice is seen here, where most of them are kept anyway.
   */
  private static final JsonFactory FACTORY =
      JsonText.FACTORY
          .rebuild()
          .disable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
          .build();

  private static final ObjectMapper JSON =
      new ObjectMapper(JsonText.WHOLE).enable(DeserializationFeature.FAIL_ON_READING_DUP_TREE_KEY);

  private final Path file;
  private final byte[] text;
  private final String secret = new BigInteger(128, new SecureRandom()).toString(36);
  private final Map<String, JsonNode> parts = new LinkedHashMap<>();
  private final Map<String, AddedToken> added = new LinkedHashMap<>(); // by text

  /** Where the values are that a tokenizer for text alone has otherwise. */
  private final List<Value> special = new ArrayList<>();

  private JsonNode addedTokens = MissingNode.getInstance();
  private @Nullable TokenizerModel model; // null until it is read

  /** A value of the outermost object: its first byte, and the one behind its last. */
  private record Value(String field, int from, int to) {}

  private TokenizerFile(Path file, byte[] text) {
    this.file = file;
    this.text = text;
  }

  /**
   * Reads a file, once: with a large vocabulary each reading takes as long as loading a small
   * model.
   *
   * @throws ModelException if it is no tokenizer, or has parts that nobody knows
   */
  static TokenizerFile read(Path file) {
    try {
      if (Files.size(file) > LARGEST) {
        throw broken(file, "it has %d bytes".formatted(Files.size(file)));
      }
      TokenizerFile tokenizer = new TokenizerFile(file, Files.readAllBytes(file));
      tokenizer.read();
      return tokenizer;
    } catch (JsonProcessingException e) {
      throw broken(file, JsonText.brief(e) + ". Fetch it again");
    } catch (IOException e) {
      throw new ModelException(
          ModelException.Kind.FAILED, "Cannot read %s: %s".formatted(file, Reason.of(e)), e);
    }
  }

  private void read() throws IOException {
    Set<String> fields = new HashSet<>();
    try (JsonParser json = FACTORY.createParser(text)) {
      if (json.nextToken() != JsonToken.START_OBJECT) {
        throw broken("it is no JSON object");
      }
      while (json.nextToken() != JsonToken.END_OBJECT) {
        String field = json.currentName();
        requireFirst(fields, field);
        json.nextToken();
        long from = json.currentTokenLocation().getByteOffset();
        boolean structure = json.currentToken().isStructStart();
        field(field, json);
        if (structure && SPECIAL.contains(field)) {
          special.add(value(field, from, json.currentLocation().getByteOffset()));
        }
      }
      if (json.nextToken() != null) {
        throw broken("something stands behind its end" + TokenizerModel.place(json));
      }
    }
    if (model == null) {
      modelBeforeAddedTokens(fields.contains("model"));
    }
    parts.forEach(this::requireBounds);
    parts.forEach(
        (field, part) ->
            TokenizerPart.unknown(field, part)
                .ifPresent(
                    why -> {
                      throw new ModelException(
                          ModelException.Kind.UNSUPPORTED,
                          "The tokenizer in %s cannot be used: %s".formatted(file, why));
                    }));
  }

  private void requireFirst(Set<String> fields, String field) {
    if (!fields.add(field)) {
      throw broken("'%s' is there twice".formatted(field));
    }
  }

  /** Other encodings than UTF-8, in which places cannot be told, no tokenizer has. */
  private Value value(String field, long from, long to) {
    if (from < 0 || to < from || to > text.length) {
      throw broken("it is not written in UTF-8");
    }
    return new Value(field, (int) from, (int) to);
  }

  private void field(String field, JsonParser json) throws IOException {
    switch (field) {
      case ADDED_TOKENS -> {
        addedTokens = whole(field, json);
        addedTokens(addedTokens);
      }
      case "normalizer", "pre_tokenizer", "post_processor", "decoder" ->
          parts.put(field, whole(field, json));
      case "model" -> {
        if (addedTokens.isMissingNode()) {
          json.skipChildren(); // until it is known which are special
        } else {
          model(json);
        }
      }
      default -> json.skipChildren();
    }
  }

  /** As a tree, of as many values as fit into memory. */
  private JsonNode whole(String field, JsonParser json) throws IOException {
    if (!json.currentToken().isStructStart()) {
      return json.currentToken() == JsonToken.VALUE_NULL
          ? JSON.nullNode()
          : JSON.getNodeFactory().textNode(json.getText());
    }
    long from = json.currentTokenLocation().getByteOffset();
    json.skipChildren();
    Value value = value(field, from, json.currentLocation().getByteOffset());
    return JSON.readTree(text, value.from(), value.to() - value.from());
  }

  private void addedTokens(JsonNode list) {
    if (!list.isArray() && !list.isNull()) {
      throw broken("its added tokens are no list");
    }
    long characters = 0;
    Map<Integer, String> texts = new HashMap<>();
    for (JsonNode each : list) {
      characters += each.path("content").asText("").length();
      if (characters > MOST_ADDED_CHARACTERS) {
        throw broken(
            "its added tokens have more than %d characters".formatted(MOST_ADDED_CHARACTERS));
      }
      JsonNode id = each.path("id");
      JsonNode text = each.path("content");
      if (!id.canConvertToInt()
          || id.asInt() < 0
          || id.asInt() >= TokenizerModel.MOST_TOKENS
          || !text.isTextual()
          || text.asText().isEmpty()) {
        throw broken("an added token is " + TokenizerModel.shown(each.toString()));
      }
      if (each.path("special").asBoolean(false)
          && text.asText().length() > AddedToken.LONGEST_SPECIAL) {
        throw broken(
            "the special token '%s' has %d characters, more than %d"
                .formatted(
                    TokenizerModel.shown(text.asText()),
                    text.asText().length(),
                    AddedToken.LONGEST_SPECIAL));
      }
      AddedToken token =
          new AddedToken(
              id.asInt(),
              text.asText(),
              each.path("special").asBoolean(false),
              each.path("single_word").asBoolean(false),
              each.path("lstrip").asBoolean(false),
              each.path("rstrip").asBoolean(false),
              each.path("normalized").asBoolean(false));
      requireOne(texts.put(token.id(), token.text()), added.put(token.text(), token), token);
    }
  }

  /**
   * Of one that is there twice the later counts, as for Hugging Face's tokenizers. Where one number
   * had two texts, plain text could stand for a special token.
   */
  private void requireOne(
      @Nullable String sameId, @Nullable AddedToken sameText, AddedToken token) {
    String text = TokenizerModel.shown(token.text());
    if (sameId != null && !sameId.equals(token.text())) {
      throw broken(
          "its added tokens '%s' and '%s' are both %d"
              .formatted(TokenizerModel.shown(sameId), text, token.id()));
    }
    if (sameText != null && sameText.id() != token.id()) {
      throw broken(
          "its added token '%s' is both %d and %d".formatted(text, sameText.id(), token.id()));
    }
    if (sameText != null && sameText.special() != token.special()) {
      throw broken("its added token '%s' is there twice, once as a special one".formatted(text));
    }
  }

  private void model(JsonParser json) throws IOException {
    TokenizerModel read =
        new TokenizerModel(text, added(), this::broken, id -> hidden("piece " + id));
    read.read(json);
    model = read;
  }

  private void modelBeforeAddedTokens(boolean there) throws IOException {
    try (JsonParser json = FACTORY.createParser(text)) {
      json.nextToken();
      while (there && json.nextToken() == JsonToken.FIELD_NAME && model == null) {
        boolean found = json.currentName().equals("model");
        json.nextToken();
        if (found) {
          model(json);
        } else {
          json.skipChildren();
        }
      }
    }
    model();
  }

  private TokenizerModel model() {
    if (model == null) {
      throw broken("it has no model");
    }
    return model;
  }

  /** What the tokenizer library would run for ever with, or fall over. */
  private void requireBounds(String field, JsonNode part) {
    List<String> patterns = part.findValuesAsText("Regex");
    if (patterns.size() > MOST_PATTERNS) {
      throw broken("its %s has %d patterns".formatted(field, patterns.size()));
    }
    for (String pattern : patterns) {
      PatternBounds.refusal(pattern)
          .ifPresent(
              why -> {
                throw new ModelException(
                    ModelException.Kind.UNSUPPORTED,
                    "The tokenizer in %s cannot be used: its pattern '%s' may run for ever: %s"
                        .formatted(file, TokenizerModel.shown(pattern), why));
              });
    }
    for (String map : part.findValuesAsText("precompiled_charsmap")) {
      CharsMap.refusal(map)
          .ifPresent(
              why -> {
                throw broken("its map of characters is damaged: " + why);
              });
    }
  }

  Map<String, Integer> vocabulary() {
    return model().vocabulary();
  }

  List<AddedToken> added() {
    return List.copyOf(added.values());
  }

  /**
   * Whether a token is found outside of the tokenizer. One that is looked for in normalized text is
   * left to it, unless it is special.
   */
  private boolean isOutside(boolean special, boolean normalized) {
    return special || !normalized || !normalizes();
  }

  private boolean normalizes() {
    JsonNode normalizer = parts.get("normalizer");
    return normalizer != null && !normalizer.isNull();
  }

  /** What is found outside of the tokenizer. */
  List<AddedToken> outside() {
    return added().stream().filter(each -> isOutside(each.special(), each.normalized())).toList();
  }

  /** What to put before a text that does not begin where all begins; empty if it is cut alike. */
  String anchor() {
    JsonNode cutting = parts.get("pre_tokenizer");
    return cutting != null && cutting.findValuesAsText("prepend_scheme").contains("first")
        ? hidden("anchor")
        : "";
  }

  private String hidden(String name) {
    return "\uffff\ufffe %s %s \ufffe\uffff".formatted(secret, name);
  }

  JsonVocabulary.Traits traits() {
    boolean bytes = has("pre_tokenizer", "ByteLevel") || has("decoder", "ByteLevel");
    return new JsonVocabulary.Traits(
        bytes,
        model().byteFallback(),
        has("decoder", "Strip") || prepends(),
        beginsWith(),
        longest());
  }

  private OptionalInt longest() {
    boolean kept = model().merging() && LongestToken.keeps(parts.get("pre_tokenizer"));
    if (!kept) {
      return OptionalInt.empty();
    }
    OptionalInt ofModel = OptionalInt.empty();
    if (has("pre_tokenizer", "ByteLevel")) {
      ofModel = LongestToken.ofBytes(vocabulary().keySet());
    } else if (model().byteFallback()) {
      ofModel = LongestToken.ofCharacters(vocabulary().keySet());
    }
    return LongestToken.with(ofModel, added(), LongestToken.shrinks(parts.get("normalizer")));
  }

  /** Metaspace puts a space in front and takes it away again. */
  private boolean prepends() {
    JsonNode decoder = parts.get("decoder");
    return decoder != null
        && decoder.path("type").asText("").equals("Metaspace")
        && !decoder.path("prepend_scheme").asText("always").equals("never")
        && decoder.path("add_prefix_space").asBoolean(true);
  }

  private boolean has(String part, String type) {
    JsonNode node = parts.get(part);
    return node != null
        && node.findValues("type").stream().anyMatch(each -> each.asText("").equals(type));
  }

  private String beginsWith() {
    JsonNode processor = parts.get("post_processor");
    if (processor == null || processor.isNull()) {
      return "";
    }
    JsonNode single =
        processor.path("type").asText("").equals("Sequence")
            ? processor.path("processors").findPath("single")
            : processor.path("single");
    return single.path(0).path("SpecialToken").path("id").asText("");
  }

  /**
   * The same tokenizer for text alone: nothing in a text is a token that is found outside of it,
   * and nothing is put around it. A token that only the added ones have keeps its place, or those
   * behind it would move up; but it gets a text that nobody can know, as the special ones among the
   * model's own pieces do.
   */
  byte[] withoutSpecial() throws IOException {
    List<Edit> edits = new ArrayList<>(model().edits());
    for (Value value : special) {
      byte[] other = value.field().equals(ADDED_TOKENS) ? plainAdded() : NULL;
      edits.add(new Edit(value.from(), value.to(), other));
    }
    edits.sort(Comparator.comparingInt(Edit::from));
    ByteArrayOutputStream out = new ByteArrayOutputStream(text.length);
    int done = begin();
    for (Edit edit : edits) {
      out.write(text, done, edit.from() - done);
      out.writeBytes(edit.with());
      done = edit.to();
    }
    out.write(text, done, text.length - done);
    return out.toByteArray();
  }

  /** Behind a byte order mark. */
  private int begin() {
    boolean marked =
        text.length > 2
            && text[0] == (byte) 0xef
            && text[1] == (byte) 0xbb
            && text[2] == (byte) 0xbf;
    return marked ? 3 : 0;
  }

  private byte[] plainAdded() throws IOException {
    ArrayNode plain = JSON.createArrayNode();
    int next = 0;
    for (JsonNode each : addedTokens) {
      int id = each.path("id").asInt();
      next = Math.max(next, id + 1);
      if (!isOutside(
          each.path("special").asBoolean(false), each.path("normalized").asBoolean(false))) {
        plain.add(each);
      } else if (!vocabulary().containsKey(each.path("content").asText())) {
        plain.add(hidden(id, hidden("token " + id)));
      }
    }
    if (!anchor().isEmpty()) {
      plain.add(hidden(Math.max(next, vocabulary().size()), anchor()));
    }
    return JSON.writeValueAsBytes(plain);
  }

  private static ObjectNode hidden(int id, String text) {
    ObjectNode token = JSON.createObjectNode().put("id", id).put("content", text);
    for (String flag : List.of("single_word", "lstrip", "rstrip", "normalized", "special")) {
      token.put(flag, false);
    }
    return token;
  }

  private ModelException broken(String what) {
    return broken(file, what);
  }

  private static ModelException broken(Path file, String what) {
    return new ModelException(
        ModelException.Kind.DAMAGED,
        "The tokenizer in %s cannot be used: %s".formatted(file, what));
  }
}
