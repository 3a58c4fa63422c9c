package dev.semantic.mlx.text;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.semantic.mlx.files.JsonText;
import dev.semantic.mlx.files.Reason;
import dev.semantic.model.ModelException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A {@code tokenizer.json} of Hugging Face's tokenizers, read without knowing its whole: what
 * matters here is its added tokens, its vocabulary, and which parts it is put together from.
 */
final class TokenizerFile {
  private static final long LARGEST = 512L << 20;
  private static final int MOST_TOKENS = 1 << 22;

  private static final ObjectMapper JSON = new ObjectMapper(JsonText.FACTORY);

  /** For what {@link #check} has read: no key is there twice. */
  private static final JsonFactory AGAIN =
      JsonText.FACTORY.rebuild().disable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build();

  private final Path file;
  private final Map<String, JsonNode> parts = new LinkedHashMap<>();
  private final Map<String, Integer> vocabulary = new HashMap<>();
  private final List<JsonVocabulary.Added> added = new ArrayList<>();
  private boolean byteFallback;
  private boolean model;

  private TokenizerFile(Path file) {
    this.file = file;
  }

  /**
   * Reads all of it, and keeps nothing of the vocabulary.
   *
   * @throws ModelException if it is no tokenizer, or has parts that nobody knows
   */
  static void check(Path file) {
    new TokenizerFile(file).read(false);
  }

  /** Reads all of it, once it was {@linkplain #check checked}. */
  static TokenizerFile read(Path file) {
    TokenizerFile read = new TokenizerFile(file);
    read.read(true);
    return read;
  }

  private void read(boolean whole) {
    try {
      if (Files.size(file) > LARGEST) {
        throw broken("it has %d bytes".formatted(Files.size(file)));
      }
      JsonFactory factory = whole ? AGAIN : JsonText.FACTORY;
      try (JsonParser json = factory.createParser(file.toFile())) {
        if (json.nextToken() != JsonToken.START_OBJECT) {
          throw broken("it is no JSON object");
        }
        while (json.nextToken() != JsonToken.END_OBJECT) {
          String field = json.currentName();
          json.nextToken();
          switch (field) {
            case "added_tokens" -> addedTokens(JSON.readTree(json));
            case "normalizer", "pre_tokenizer", "post_processor", "decoder" ->
                parts.put(field, JSON.readTree(json));
            case "model" -> model(json, whole);
            default -> json.skipChildren();
          }
        }
        json.nextToken(); // nothing, or what does not belong there
        if (json.currentToken() != null) {
          throw broken("something stands behind its end" + place(json));
        }
      }
    } catch (JsonProcessingException e) {
      throw broken(JsonText.brief(e) + ". Fetch it again");
    } catch (IOException e) {
      throw new ModelException("Cannot read %s: %s".formatted(file, Reason.of(e)), e);
    }
    if (!model) {
      throw broken("it has no model");
    }
    parts.forEach(
        (field, part) ->
            TokenizerPart.unknown(field, part)
                .ifPresent(
                    why -> {
                      throw broken(why);
                    }));
  }

  private void addedTokens(JsonNode list) {
    if (!list.isArray() && !list.isNull()) {
      throw broken("its added tokens are no list");
    }
    for (JsonNode each : list) {
      JsonNode id = each.path("id");
      JsonNode text = each.path("content");
      if (!id.canConvertToInt()
          || id.asInt() < 0
          || id.asInt() >= MOST_TOKENS
          || !text.isTextual()
          || text.asText().isEmpty()) {
        throw broken("an added token is " + each);
      }
      added.add(
          new JsonVocabulary.Added(
              id.asInt(),
              text.asText(),
              each.path("special").asBoolean(false),
              each.path("lstrip").asBoolean(false),
              each.path("rstrip").asBoolean(false)));
    }
  }

  private void model(JsonParser json, boolean whole) throws IOException {
    model = json.currentToken() == JsonToken.START_OBJECT;
    if (!model) {
      throw broken("its model is no JSON object");
    }
    boolean hasVocabulary = false;
    while (json.nextToken() != JsonToken.END_OBJECT) {
      String field = json.currentName();
      json.nextToken();
      switch (field) {
        case "byte_fallback" -> byteFallback = json.currentToken() == JsonToken.VALUE_TRUE;
        case "type" -> TokenizerPart.requireModel(json, this::broken);
        case "vocab" -> {
          vocabulary(json, whole);
          hasVocabulary = true;
        }
        case "merges" -> merges(json);
        default -> json.skipChildren();
      }
    }
    if (!hasVocabulary) {
      throw broken("its model has no vocabulary");
    }
  }

  /** Each a text with a space in its middle, or a list of two. */
  private void merges(JsonParser json) throws IOException {
    if (json.currentToken() != JsonToken.START_ARRAY) {
      throw broken("its merges are no list");
    }
    while (json.nextToken() != JsonToken.END_ARRAY) {
      JsonToken one = json.currentToken();
      boolean pair =
          one == JsonToken.START_ARRAY
              && json.nextToken() == JsonToken.VALUE_STRING
              && json.nextToken() == JsonToken.VALUE_STRING
              && json.nextToken() == JsonToken.END_ARRAY;
      if (!pair && one != JsonToken.VALUE_STRING) {
        throw broken("one of its merges is no pair" + place(json));
      }
    }
  }

  private static String place(JsonParser json) {
    JsonLocation at = json.currentTokenLocation();
    return " (line %d, column %d)".formatted(at.getLineNr(), at.getColumnNr());
  }

  /** Ids by text; or, in a unigram model, texts and scores in the order of their ids. */
  private void vocabulary(JsonParser json, boolean whole) throws IOException {
    switch (json.currentToken()) {
      case START_OBJECT -> {
        while (json.nextToken() != JsonToken.END_OBJECT) {
          String text = json.currentName();
          if (json.nextToken() != JsonToken.VALUE_NUMBER_INT) {
            throw broken("the token '%s' has no number%s".formatted(text, place(json)));
          }
          token(text, json.getLongValue(), whole);
        }
      }
      case START_ARRAY -> {
        for (int id = 0; json.nextToken() != JsonToken.END_ARRAY; id++) {
          if (json.currentToken() != JsonToken.START_ARRAY
              || json.nextToken() != JsonToken.VALUE_STRING) {
            throw broken("token %d has no text%s".formatted(id, place(json)));
          }
          token(json.getText(), id, whole);
          if (!json.nextToken().isNumeric() || json.nextToken() != JsonToken.END_ARRAY) {
            throw broken("token %d has no score%s".formatted(id, place(json)));
          }
        }
      }
      default -> throw broken("its vocabulary is neither an object nor a list" + place(json));
    }
  }

  private void token(String text, long id, boolean whole) {
    if (id < 0 || id >= MOST_TOKENS) {
      throw broken("the token '%s' is %d".formatted(text, id));
    }
    if (whole) {
      vocabulary.put(text, (int) id);
    }
  }

  Map<String, Integer> vocabulary() {
    return vocabulary;
  }

  List<JsonVocabulary.Added> added() {
    return added;
  }

  JsonVocabulary.Traits traits() {
    boolean bytes = has("pre_tokenizer", "ByteLevel") || has("decoder", "ByteLevel");
    return new JsonVocabulary.Traits(
        bytes, byteFallback, has("decoder", "Strip") || prepends(), beginsWith());
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
   * The same tokenizer for text alone: nothing in a text is a special token, and nothing is put
   * around it. A token that only the added ones have keeps its place, or those behind it would move
   * up; but it gets a text that nobody writes.
   */
  byte[] withoutSpecial() {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (JsonParser json = AGAIN.createParser(file.toFile());
        JsonGenerator out = JSON.createGenerator(bytes)) {
      json.nextToken();
      out.writeStartObject();
      while (json.nextToken() != JsonToken.END_OBJECT) {
        String field = json.currentName();
        json.nextToken();
        switch (field) {
          case "truncation", "padding", "post_processor" -> {
            json.skipChildren();
            out.writeNullField(field);
          }
          case "added_tokens" -> {
            out.writeFieldName(field);
            writeAdded(JSON.readTree(json), out);
          }
          default -> {
            out.writeFieldName(field);
            out.copyCurrentStructure(json);
          }
        }
      }
      out.writeEndObject();
    } catch (IOException e) {
      throw new ModelException("Cannot read %s: %s".formatted(file, Reason.of(e)), e);
    }
    return bytes.toByteArray();
  }

  private void writeAdded(JsonNode list, JsonGenerator out) throws IOException {
    out.writeStartArray();
    for (JsonNode each : list) {
      String text = each.path("content").asText();
      boolean special = each.path("special").asBoolean(false);
      if (special && vocabulary.containsKey(text)) {
        continue;
      }
      if (special && each instanceof ObjectNode token) {
        token.put(
            "content",
            "\uffff\ufffe special token %d \ufffe\uffff".formatted(each.path("id").asInt()));
      }
      JSON.writeValue(out, each);
    }
    out.writeEndArray();
  }

  ModelException broken(String what) {
    return new ModelException("The tokenizer in %s cannot be used: %s".formatted(file, what));
  }
}
