package dev.semantic.generate;

import java.util.List;
import java.util.Objects;

/** What a generation starts from. */
public sealed interface Prompt {
  /** Tokens, taken as they are. */
  record Tokens(int... ids) implements Prompt {
    public Tokens {
      if (ids.length == 0) {
        throw new IllegalArgumentException("A prompt needs at least one token");
      }
      ids = ids.clone();
    }

    @Override
    public int[] ids() {
      return ids.clone();
    }
  }

  /** Plain text; the beginning-of-sequence token is added as the model wants it. */
  record Text(String text) implements Prompt {
    public Text {
      Objects.requireNonNull(text, "text must not be null");
    }
  }

  /** A conversation, rendered by the model's chat template. */
  record Chat(List<ChatMessage> messages) implements Prompt {
    public Chat {
      messages = List.copyOf(messages);
      if (messages.isEmpty()) {
        throw new IllegalArgumentException("A conversation needs at least one message");
      }
    }
  }
}
