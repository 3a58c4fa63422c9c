package dev.semantic.examples.cli;

import dev.semantic.examples.server.clients.TokenCounter;
import dev.semantic.generate.Prompt;
import dev.semantic.mlx.ModelChat;
import dev.semantic.model.ModelSpec;
import dev.semantic.model.ModelTag;
import dev.semantic.pip.PipModels;
import java.time.Clock;
import java.time.ZoneId;
import org.jspecify.annotations.Nullable;

/** Counts tokens with the template and tokenizer of the model that was asked about last. */
final class ServedTokens implements TokenCounter, AutoCloseable {
  private @Nullable ModelTag tag;
  private @Nullable ModelChat chat;

  @Override
  public synchronized int count(ModelSpec model, Prompt.Chat conversation) {
    ModelChat open = chat;
    if (open == null || !model.tag().equals(tag)) {
      close();
      open = ModelChat.open(PipModels.catalog().resolve(model.id()));
      chat = open;
      tag = model.tag();
    }
    return open.render(conversation, Clock.system(ZoneId.systemDefault())).tokens().length;
  }

  @Override
  public synchronized void close() {
    if (chat != null) {
      chat.close();
      chat = null;
    }
  }
}
