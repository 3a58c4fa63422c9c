package dev.semantic.mlx.tokenizer;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.semantic.mlx.tokenizer.MergeTable.Merge;
import java.io.IOException;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Writes a GGUF vocabulary as a {@code tokenizer.json} of Hugging Face's tokenizers: for ourselves
 * text to tokens only, and without special tokens, which are dealt with outside it; for others
 * whole.
 */
final class TokenizerJson {
  private static final ObjectMapper JSON = new ObjectMapper();

  private static final String SPACES =
      """
      {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}\
      """;

  private static final String SPACE_IN_FRONT =
      """
      {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "▁"},\
      """
          + SPACES
          + "]}";

  private final GgufVocabulary vocabulary;
  private final boolean bytes;
  private final String preTokenizer;

  TokenizerJson(GgufVocabulary vocabulary) {
    this.vocabulary = vocabulary;
    this.bytes = vocabulary.model().equals("gpt2");
    if (!bytes && !vocabulary.model().equals("llama")) {
      throw vocabulary.broken(
          "it is of kind '%s'; known are gpt2, llama".formatted(vocabulary.model()));
    }
    // Said now: what is written later is written when a model is being loaded already.
    this.preTokenizer = bytes ? PreTokenizers.of(vocabulary).json() : "null";
    if (bytes) {
      vocabulary.merges();
    } else {
      vocabulary.scores();
    }
  }

  void write(OutputStream to) throws IOException {
    try (JsonGenerator out = JSON.createGenerator(to)) {
      begin(out, false);
      raw(out, "normalizer", bytes ? "null" : SPACES);
      raw(out, "pre_tokenizer", preTokenizer);
      out.writeNullField("post_processor");
      out.writeNullField("decoder");
      model(out, textIds());
      out.writeEndObject();
    }
  }

  /** With all that tools need who have nothing but this file. */
  void writeWhole(OutputStream to) throws IOException {
    try (JsonGenerator out = JSON.createGenerator(to)) {
      begin(out, true);
      raw(out, "normalizer", bytes ? "null" : vocabulary.addsSpace() ? SPACE_IN_FRONT : SPACES);
      raw(out, "pre_tokenizer", preTokenizer);
      out.writeFieldName("post_processor");
      if (vocabulary.beginsWithBos()) {
        JSON.writeValue(out, bosInFront(vocabulary.id("bos").orElseThrow()));
      } else {
        out.writeNull();
      }
      raw(out, "decoder", decoder());
      model(out, ids());
      out.writeEndObject();
    }
  }

  private void begin(JsonGenerator out, boolean special) throws IOException {
    out.writeStartObject();
    out.writeStringField("version", "1.0");
    out.writeNullField("truncation");
    out.writeNullField("padding");
    addedTokens(out, special ? vocabulary.added() : List.of());
  }

  private static void raw(JsonGenerator out, String field, String json) throws IOException {
    out.writeFieldName(field);
    out.writeRawValue(json);
  }

  private String decoder() {
    if (bytes) {
      return """
      {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true}\
      """;
    }
    String strip =
        vocabulary.addsSpace()
            ? """
            , {"type": "Strip", "content": " ", "start": 1, "stop": 0}\
            """
            : "";
    return """
    {"type": "Sequence", "decoders": [
      {"type": "Replace", "pattern": {"String": "▁"}, "content": " "},
      {"type": "ByteFallback"}, {"type": "Fuse"}%s]}\
    """
        .formatted(strip);
  }

  /** Puts the first token in front, of both of a pair. */
  private Map<String, Object> bosInFront(int id) {
    String bos = vocabulary.tokens().get(id);
    Map<String, Object> processor = new LinkedHashMap<>();
    processor.put("type", "TemplateProcessing");
    processor.put("single", List.of(piece("SpecialToken", bos, 0), piece("Sequence", "A", 0)));
    processor.put(
        "pair",
        List.of(
            piece("SpecialToken", bos, 0),
            piece("Sequence", "A", 0),
            piece("SpecialToken", bos, 1),
            piece("Sequence", "B", 1)));
    processor.put(
        "special_tokens",
        Map.of(bos, Map.of("id", bos, "ids", List.of(id), "tokens", List.of(bos))));
    return processor;
  }

  private static Map<String, Object> piece(String kind, String id, int type) {
    return Map.of(kind, Map.of("id", id, "type_id", type));
  }

  /** Pieces of text that are one token wherever they stand; of two alike the first counts. */
  private static void addedTokens(JsonGenerator out, List<AddedToken> tokens) throws IOException {
    Set<String> texts = new HashSet<>();
    out.writeArrayFieldStart("added_tokens");
    for (AddedToken token : tokens) {
      if (texts.add(token.text())) {
        out.writeStartObject();
        out.writeNumberField("id", token.id());
        out.writeStringField("content", token.text());
        for (String flag : List.of("single_word", "lstrip", "rstrip", "normalized")) {
          out.writeBooleanField(flag, false);
        }
        out.writeBooleanField("special", token.special());
        out.writeEndObject();
      }
    }
    out.writeEndArray();
  }

  private void model(JsonGenerator out, Map<String, Integer> ids) throws IOException {
    out.writeObjectFieldStart("model");
    out.writeStringField("type", "BPE");
    out.writeNullField("dropout");
    if (bytes) {
      out.writeNullField("unk_token");
    } else {
      out.writeStringField(
          "unk_token", vocabulary.tokens().get(vocabulary.id("unknown").orElse(0)));
    }
    out.writeBooleanField("fuse_unk", !bytes);
    out.writeBooleanField("byte_fallback", !bytes);
    out.writeBooleanField("ignore_merges", bytes && PreTokenizers.of(vocabulary).wholeFirst());
    out.writeObjectFieldStart("vocab");
    for (Map.Entry<String, Integer> token : ids.entrySet()) {
      out.writeNumberField(token.getKey(), token.getValue());
    }
    out.writeEndObject();
    out.writeArrayFieldStart("merges");
    for (Merge merge : bytes ? listed(ids.keySet()) : MergeTable.fromScores(vocabulary)) {
      out.writeStartArray();
      out.writeString(merge.left());
      out.writeString(merge.right());
      out.writeEndArray();
    }
    out.writeEndArray();
    out.writeEndObject();
  }

  /** Each text once: of two alike the later counts, as it does for whoever reads both. */
  private Map<String, Integer> ids() {
    Map<String, Integer> ids = new LinkedHashMap<>();
    List<String> tokens = vocabulary.tokens();
    for (int id = 0; id < tokens.size(); id++) {
      ids.put(tokens.get(id), id);
    }
    return ids;
  }

  /** Those that text is made of, and the one for what is unknown. */
  private Map<String, Integer> textIds() {
    Map<String, Integer> ids = ids();
    int unknown = bytes ? -1 : vocabulary.id("unknown").orElse(0);
    ids.values().removeIf(id -> id != unknown && vocabulary.isSpecial(id));
    return ids;
  }

  /** What leads to no token is left out, as whatever it made would have to be taken apart again. */
  private List<Merge> listed(Set<String> tokens) {
    List<Merge> merges = new ArrayList<>();
    for (String pair : vocabulary.merges()) {
      int space = pair.indexOf(' ', 1);
      if (space < 0) {
        throw vocabulary.broken("a merge without two halves: '" + pair + "'");
      }
      Merge merge = new Merge(pair.substring(0, space), pair.substring(space + 1));
      if (tokens.contains(merge.left())
          && tokens.contains(merge.right())
          && tokens.contains(merge.left() + merge.right())) {
        merges.add(merge);
      }
    }
    return merges;
  }
}
