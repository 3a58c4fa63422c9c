package dev.semantic.mlx.tokenizer;

import dev.semantic.model.ChatFacts;
import java.util.function.Supplier;

/**
 * A model's text in the making: what its files say is read, and what takes long is left to whoever
 * asks for it.
 *
 * @param hasChatTemplate whether it renders conversations
 * @param facts what the templates and the configuration tell of its conversations
 */
public record PendingCodec(boolean hasChatTemplate, ChatFacts facts, Supplier<ChatTokenizer> making)
    implements Supplier<ChatTokenizer> {
  @Override
  public ChatTokenizer get() {
    return making.get();
  }
}
