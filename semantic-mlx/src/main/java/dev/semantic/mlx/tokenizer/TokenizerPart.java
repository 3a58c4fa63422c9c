package dev.semantic.mlx.tokenizer;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.JsonNode;
import dev.semantic.model.ModelException;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/**
 * The kinds of parts that Hugging Face's tokenizers are put together from. What the library says
 * itself of one that it does not know names neither the part nor its kind.
 *
 * @param called in messages
 * @param inner the field of a sequence that holds more of them
 */
record TokenizerPart(String called, String inner, List<String> kinds) {
  private static final List<String> MODELS = List.of("BPE", "Unigram", "WordLevel", "WordPiece");

  private static final Map<String, TokenizerPart> PARTS =
      Map.of(
          "normalizer",
          new TokenizerPart(
              "normalizer",
              "normalizers",
              List.of(
                  "BertNormalizer",
                  "ByteLevel",
                  "Lowercase",
                  "NFC",
                  "NFD",
                  "NFKC",
                  "NFKD",
                  "Nmt",
                  "Precompiled",
                  "Prepend",
                  "Replace",
                  "Sequence",
                  "Strip",
                  "StripAccents")),
          "pre_tokenizer",
          new TokenizerPart(
              "pre-tokenizer",
              "pretokenizers",
              List.of(
                  "BertPreTokenizer",
                  "ByteLevel",
                  "CharDelimiterSplit",
                  "Digits",
                  "FixedLength",
                  "Metaspace",
                  "Punctuation",
                  "Sequence",
                  "Split",
                  "UnicodeScripts",
                  "Whitespace",
                  "WhitespaceSplit")),
          "post_processor",
          new TokenizerPart(
              "post-processor",
              "processors",
              List.of(
                  "BertProcessing",
                  "ByteLevel",
                  "RobertaProcessing",
                  "Sequence",
                  "TemplateProcessing")),
          "decoder",
          new TokenizerPart(
              "decoder",
              "decoders",
              List.of(
                  "BPEDecoder",
                  "ByteFallback",
                  "ByteLevel",
                  "CTC",
                  "Fuse",
                  "Metaspace",
                  "Replace",
                  "Sequence",
                  "Strip",
                  "WordPiece")));

  /** What is wrong with a part, or with one in it; empty if it is known, or is not there. */
  static Optional<String> unknown(String field, JsonNode part) {
    TokenizerPart known = PARTS.get(field);
    return known == null || part.isNull() ? Optional.empty() : known.unknown(part);
  }

  private Optional<String> unknown(JsonNode part) {
    String type = part.path("type").asText("");
    if (!kinds.contains(type)) {
      return Optional.of(
          "its %s is '%s'; known are %s".formatted(called, type, String.join(", ", kinds)));
    }
    if (!type.equals("Sequence")) {
      return Optional.empty();
    }
    if (!part.path(inner).isArray()) {
      return Optional.of("its %s is a sequence without a list of %s".formatted(called, inner));
    }
    for (JsonNode each : part.path(inner)) {
      Optional<String> why = unknown(each);
      if (why.isPresent()) {
        return why;
      }
    }
    return Optional.empty();
  }

  /** Looks at the kind of a model; one that says none is told by what it has. */
  static void requireModel(JsonParser json, Function<String, ModelException> broken)
      throws IOException {
    String type = json.currentToken() == JsonToken.VALUE_STRING ? json.getText() : "";
    if (!MODELS.contains(type)) {
      throw broken.apply(
          "its model is of kind '%s'; known are %s".formatted(type, String.join(", ", MODELS)));
    }
  }
}
