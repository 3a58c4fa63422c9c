package dev.semantic.mlx.tokenizer;

import dev.semantic.generate.Prompt;
import dev.semantic.model.ModelException;
import dev.semantic.spi.Detokenizer;
import java.nio.file.Path;
import java.time.Clock;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A model without a tokenizer: tokens go in and come out, and no text is known of them.
 *
 * @param directory the model's, for messages
 * @param endTokens as its configuration has them
 */
record NoTokenizer(Path directory, Set<Integer> endTokens) implements ChatTokenizer {
  private ModelException noText() {
    return new ModelException(
        ModelException.Kind.UNSUPPORTED,
        "%s has no tokenizer.json, so no text can be read or written; give it tokens, or put the file there"
            .formatted(directory));
  }

  @Override
  public int[] encode(String text, boolean bos) {
    throw noText();
  }

  @Override
  public boolean beginsWithBos() {
    return false;
  }

  @Override
  public String renderChat(Prompt.Chat chat) {
    throw noText();
  }

  @Override
  public Rendered render(Prompt.Chat chat, Clock clock) {
    throw noText();
  }

  @Override
  public Rendered render(Map<String, ? extends @Nullable Object> values, Clock clock) {
    throw noText();
  }

  @Override
  public boolean hasChatTemplate() {
    return false;
  }

  @Override
  public String decode(int[] tokens) {
    throw noText();
  }

  /** Of no text at all: whoever asked with tokens reads tokens. */
  @Override
  public Detokenizer detokenizer() {
    return Detokenizer.NONE;
  }

  @Override
  public void close() {}
}
