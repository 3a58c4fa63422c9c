package dev.semantic.mlx.text;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.semantic.mlx.text.MergeTable.Merge;
import java.io.IOException;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.List;

/**
 * Writes a GGUF vocabulary as a {@code tokenizer.json} of Hugging Face's tokenizers: text to tokens
 * only, and without special tokens, which are dealt with outside it.
 */
final class TokenizerJson {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final GgufVocabulary vocabulary;
  private final boolean bytes;

  TokenizerJson(GgufVocabulary vocabulary) {
    this.vocabulary = vocabulary;
    this.bytes = vocabulary.model().equals("gpt2");
    if (!bytes && !vocabulary.model().equals("llama")) {
      throw vocabulary.broken(
          "it is of kind '%s'; known are gpt2, llama".formatted(vocabulary.model()));
    }
  }

  void write(OutputStream to) throws IOException {
    try (JsonGenerator out = JSON.createGenerator(to)) {
      out.writeStartObject();
      out.writeStringField("version", "1.0");
      out.writeNullField("truncation");
      out.writeNullField("padding");
      addedTokens(out);
      out.writeFieldName("normalizer");
      out.writeRawValue(
          bytes
              ? "null"
              : """
              {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}\
              """);
      out.writeFieldName("pre_tokenizer");
      out.writeRawValue(bytes ? PreTokenizers.json(vocabulary) : "null");
      out.writeNullField("post_processor");
      out.writeNullField("decoder");
      model(out);
      out.writeEndObject();
    }
  }

  /** Pieces of text that are one token wherever they stand, white space in rows for example. */
  private void addedTokens(JsonGenerator out) throws IOException {
    out.writeArrayFieldStart("added_tokens");
    for (int id = 0; id < vocabulary.tokens().size(); id++) {
      if (vocabulary.isUserDefined(id)) {
        out.writeStartObject();
        out.writeNumberField("id", id);
        out.writeStringField("content", vocabulary.tokens().get(id));
        for (String flag : List.of("single_word", "lstrip", "rstrip", "normalized", "special")) {
          out.writeBooleanField(flag, false);
        }
        out.writeEndObject();
      }
    }
    out.writeEndArray();
  }

  private void model(JsonGenerator out) throws IOException {
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
    out.writeBooleanField("ignore_merges", false);
    out.writeObjectFieldStart("vocab");
    List<String> tokens = vocabulary.tokens();
    for (int id = 0; id < tokens.size(); id++) {
      out.writeNumberField(tokens.get(id), id);
    }
    out.writeEndObject();
    out.writeArrayFieldStart("merges");
    for (Merge merge : bytes ? listed() : MergeTable.fromScores(vocabulary)) {
      out.writeStartArray();
      out.writeString(merge.left());
      out.writeString(merge.right());
      out.writeEndArray();
    }
    out.writeEndArray();
    out.writeEndObject();
  }

  private List<Merge> listed() {
    List<Merge> merges = new ArrayList<>();
    for (String pair : vocabulary.merges()) {
      int space = pair.indexOf(' ', 1);
      if (space < 0) {
        throw vocabulary.broken("a merge without two halves: '" + pair + "'");
      }
      merges.add(new Merge(pair.substring(0, space), pair.substring(space + 1)));
    }
    return merges;
  }
}
