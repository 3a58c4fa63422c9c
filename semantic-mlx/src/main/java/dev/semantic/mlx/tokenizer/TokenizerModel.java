package dev.semantic.mlx.tokenizer;

import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import dev.semantic.model.ModelException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/**
 * The model in a {@code tokenizer.json}: its vocabulary, and what has to be written otherwise so
 * that it makes no special token of text. Many have theirs among the pieces that text is made of;
 * there they get texts that nobody can know, and merges that lead to one are left out. So a text
 * that looks like one is made of other pieces, as it would be had the model no such token.
 */
final class TokenizerModel {
  private static final int MOST_MERGES = 1 << 23;

  /** As many as a vocabulary may have. */
  static final int MOST_TOKENS = 1 << 22;

  private final byte[] text;
  private final Function<String, ModelException> broken;
  private final IntFunction<String> hidden;
  private final Map<String, Integer> vocabulary = new HashMap<>();
  private final List<Edit> edits = new ArrayList<>();
  private final Set<String> specialTexts = new HashSet<>();
  private final Set<Integer> specialIds = new HashSet<>();
  private String prefix = ""; // of a piece that goes on with a word; a merge leaves it out
  private boolean byteFallback;
  private boolean merging;

  /** Other bytes for those of the file from a place on, up to another. */
  record Edit(int from, int to, byte[] with) {}

  /**
   * Nothing read yet.
   *
   * @param text the whole file
   * @param added of which those that are special are hidden
   * @param hidden a text for a piece that nobody can know
   */
  TokenizerModel(
      byte[] text,
      List<AddedToken> added,
      Function<String, ModelException> broken,
      IntFunction<String> hidden) {
    this.text = text;
    this.broken = broken;
    this.hidden = hidden;
    for (AddedToken token : added) {
      if (token.special()) {
        specialTexts.add(token.text());
        specialIds.add(token.id());
      }
    }
  }

  /** Ids by text. */
  Map<String, Integer> vocabulary() {
    return vocabulary;
  }

  /** In the file's order, except for what stands for the unknown. */
  List<Edit> edits() {
    return edits;
  }

  boolean byteFallback() {
    return byteFallback;
  }

  /** Whether it is one of pairs. */
  boolean merging() {
    return merging;
  }

  void read(JsonParser json) throws IOException {
    if (json.currentToken() != JsonToken.START_OBJECT) {
      throw broken.apply("its model is no JSON object");
    }
    Set<String> fields = new HashSet<>();
    String unknown = "";
    int unknownAt = 0;
    while (json.nextToken() != JsonToken.END_OBJECT) {
      String field = json.currentName();
      if (!fields.add(field)) {
        throw broken.apply("'%s' is there twice".formatted(field));
      }
      boolean textual = json.nextToken() == JsonToken.VALUE_STRING;
      switch (field) {
        case "byte_fallback" -> {
          byteFallback = json.currentToken() == JsonToken.VALUE_TRUE;
          json.skipChildren(); // should it be anything but a truth value
        }
        case "continuing_subword_prefix" -> {
          prefix = textual ? json.getText() : "";
          json.skipChildren();
        }
        case "unk_token" -> {
          unknown = textual ? json.getText() : "";
          unknownAt = textual ? begin(json) : 0;
          json.skipChildren();
        }
        case "type" -> TokenizerPart.requireModel(json, broken);
        case "vocab" -> vocabulary(json);
        case "merges" -> merges(json);
        default -> json.skipChildren();
      }
    }
    if (!fields.contains("vocab")) {
      throw broken.apply("its model has no vocabulary");
    }
    Integer id = vocabulary.get(unknown);
    if (id != null && hides(unknown, id)) {
      hide(unknownAt, id); // the same piece still, only that no text is it
    }
  }

  private boolean hides(String token, int id) {
    return specialTexts.contains(token) || specialIds.contains(id);
  }

  private void hide(int from, int id) {
    byte[] other = ('"' + hidden.apply(id) + '"').getBytes(StandardCharsets.UTF_8);
    edits.add(new Edit(from, end(from), other));
  }

  /** Where the text or name begins that was read just now. */
  private int begin(JsonParser json) {
    long at = json.currentTokenLocation().getByteOffset();
    if (at < 0 || at >= text.length || text[(int) at] != '"') {
      throw broken.apply("it is not written in UTF-8");
    }
    return (int) at;
  }

  /** Behind the text that begins at a place. */
  private int end(int from) {
    int at = from + 1;
    while (text[at] != '"') {
      at += text[at] == '\\' ? 2 : 1;
    }
    return at + 1;
  }

  /** Ids by text; or, in a unigram model, texts and scores in the order of their ids. */
  private void vocabulary(JsonParser json) throws IOException {
    switch (json.currentToken()) {
      case START_OBJECT -> {
        while (json.nextToken() != JsonToken.END_OBJECT) {
          String token = json.currentName();
          int at = begin(json);
          if (json.nextToken() != JsonToken.VALUE_NUMBER_INT) {
            throw broken.apply(
                "the token '%s' has no number%s".formatted(shown(token), place(json)));
          }
          if (token(token, json.getLongValue(), at) != null) {
            throw broken.apply(
                "the token '%s' is there twice%s".formatted(shown(token), place(json)));
          }
        }
      }
      case START_ARRAY -> {
        for (int id = 0; json.nextToken() != JsonToken.END_ARRAY; id++) {
          if (json.currentToken() != JsonToken.START_ARRAY
              || json.nextToken() != JsonToken.VALUE_STRING) {
            throw broken.apply("token %d has no text%s".formatted(id, place(json)));
          }
          token(json.getText(), id, begin(json));
          if (!json.nextToken().isNumeric() || json.nextToken() != JsonToken.END_ARRAY) {
            throw broken.apply("token %d has no score%s".formatted(id, place(json)));
          }
        }
      }
      default -> throw broken.apply("its vocabulary is neither an object nor a list" + place(json));
    }
  }

  private @Nullable Integer token(String token, long id, int at) {
    if (id < 0 || id >= MOST_TOKENS || vocabulary.size() >= MOST_TOKENS) {
      throw broken.apply(
          "the token '%s' is %d, of at most %d".formatted(shown(token), id, MOST_TOKENS));
    }
    if (hides(token, (int) id)) {
      specialTexts.add(token);
      hide(at, (int) id);
    }
    return vocabulary.put(token, (int) id);
  }

  /** Each a text with a space in its middle, or a list of two. */
  private void merges(JsonParser json) throws IOException {
    if (json.currentToken() != JsonToken.START_ARRAY) {
      throw broken.apply("its merges are no list");
    }
    merging = true;
    boolean first = true;
    int end = (int) json.currentLocation().getByteOffset();
    for (int count = 0; json.nextToken() != JsonToken.END_ARRAY; count++) {
      if (count == MOST_MERGES) {
        throw broken.apply("it has more than %d merges".formatted(MOST_MERGES));
      }
      int from = (int) json.currentTokenLocation().getByteOffset();
      boolean kept = !leadsToSpecial(json);
      int to =
          json.currentToken() == JsonToken.VALUE_STRING
              ? end(begin(json))
              : (int) json.currentLocation().getByteOffset();
      if (!kept) {
        edits.add(new Edit(end, to, new byte[0]));
      } else if (first) {
        edits.add(new Edit(end, from, new byte[0])); // no comma before the first
      }
      first &= !kept;
      end = to;
    }
  }

  private boolean leadsToSpecial(JsonParser json) throws IOException {
    String left;
    String right;
    if (json.currentToken() == JsonToken.VALUE_STRING) {
      String pair = json.getText();
      int space = pair.indexOf(' ');
      left = pair.substring(0, Math.max(0, space));
      right = pair.substring(space + 1);
    } else {
      left = half(json, JsonToken.START_ARRAY);
      right = half(json, JsonToken.VALUE_STRING);
      if (json.nextToken() != JsonToken.END_ARRAY) {
        throw broken.apply("one of its merges is no pair" + place(json));
      }
    }
    String whole = left + (right.startsWith(prefix) ? right.substring(prefix.length()) : right);
    return specialTexts.contains(left)
        || specialTexts.contains(right)
        || specialTexts.contains(whole);
  }

  private String half(JsonParser json, JsonToken behind) throws IOException {
    if (json.currentToken() != behind || json.nextToken() != JsonToken.VALUE_STRING) {
      throw broken.apply("one of its merges is no pair" + place(json));
    }
    return json.getText();
  }

  /** A text as messages have it. */
  static String shown(String token) {
    return token.length() <= 40 ? token : token.substring(0, 40) + "…";
  }

  /** Of what was read just now, as messages have it. */
  static String place(JsonParser json) {
    JsonLocation at = json.currentTokenLocation();
    return " (line %d, column %d)".formatted(at.getLineNr(), at.getColumnNr());
  }
}
