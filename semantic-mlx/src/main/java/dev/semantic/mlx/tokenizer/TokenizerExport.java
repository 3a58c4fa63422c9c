package dev.semantic.mlx.tokenizer;

import dev.semantic.mlx.template.ModelTemplates;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What a GGUF file says of its tokenizer and chat templates, as the files that Hugging Face's tools
 * read.
 */
public final class TokenizerExport {
  private static final Map<String, String> PURPOSES =
      Map.of("bos", "bos", "eos", "eos", "unknown", "unk", "padding", "pad");

  private final GgufVocabulary vocabulary;
  private final TokenizerJson json;
  private final Map<String, Object> metadata;

  /**
   * Reads the vocabulary.
   *
   * @param file for messages
   * @throws dev.semantic.model.ModelException if there is none, or of an unknown kind
   */
  public TokenizerExport(Path file, Map<String, Object> metadata) {
    this.vocabulary = new GgufVocabulary(file, metadata);
    this.json = new TokenizerJson(vocabulary);
    this.metadata = metadata;
  }

  /** Writes {@code tokenizer.json}, with special tokens and a decoder. */
  public void writeTokenizer(OutputStream to) throws IOException {
    json.writeWhole(to);
  }

  /**
   * What {@code tokenizer_config.json} says besides the templates.
   *
   * @param contextLength the most tokens a sequence may hold
   */
  public Map<String, Object> settings(int contextLength) {
    Map<String, Object> settings = new LinkedHashMap<>();
    settings.put("add_bos_token", vocabulary.beginsWithBos());
    PURPOSES.forEach(
        (name, there) -> text(name).ifPresent(text -> settings.put(there + "_token", text)));
    settings.put("clean_up_tokenization_spaces", false);
    settings.put("model_max_length", contextLength);
    settings.put("tokenizer_class", "PreTrainedTokenizerFast");
    return settings;
  }

  private Optional<String> text(String purpose) {
    return vocabulary.id(purpose).map(vocabulary.tokens()::get).filter(text -> !text.isEmpty());
  }

  /** Chat templates by name, as {@link ModelTemplates#sources()}. */
  public Map<String, String> templates() {
    return ModelTemplates.ofGguf(metadata, Map.of()).sources();
  }

  /** The token that begins a text. */
  public Optional<Integer> bos() {
    return vocabulary.id("bos");
  }

  /** Tokens that end an answer, what the file itself names first. */
  public List<Integer> ends() {
    return List.copyOf(vocabulary.endTokens());
  }
}
