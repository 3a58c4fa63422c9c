package dev.semantic.mlx.tokenizer;

import dev.semantic.generate.ChatMessage;
import dev.semantic.generate.Prompt;
import dev.semantic.spi.Tokenizer;
import java.time.Clock;
import java.time.ZoneId;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A model's tokens and texts, with memory outside of the heap. */
public interface ChatTokenizer extends Tokenizer, AutoCloseable {
  /** A conversation as a model reads it. */
  @SuppressWarnings("ArrayRecordComponent") // made for whoever asked
  record Rendered(String text, int[] tokens) {}

  /**
   * What a template makes of values of any kind, unchecked.
   *
   * @param values as {@link dev.semantic.mlx.ModelChat#render} has them
   * @throws dev.semantic.model.ModelException if there is no template, or it refuses the values
   */
  Rendered render(Map<String, ? extends @Nullable Object> values, Clock clock);

  /**
   * A conversation: the only way from one to tokens, and to what they are tokens of.
   *
   * @param clock what the template takes for now, unless the conversation says what today is
   * @throws dev.semantic.model.ModelException if there is no template, or it refuses the values
   */
  Rendered render(Prompt.Chat chat, Clock clock);

  @Override
  default int[] encodeChat(Prompt.Chat chat) {
    return render(chat, Clock.system(ZoneId.systemDefault())).tokens();
  }

  @Override
  default int[] encodeChat(List<ChatMessage> messages) {
    return encodeChat(new Prompt.Chat(messages));
  }

  @Override
  default String renderChat(List<ChatMessage> messages) {
    return renderChat(new Prompt.Chat(messages));
  }

  @Override
  String renderChat(Prompt.Chat chat);

  @Override
  void close();
}
