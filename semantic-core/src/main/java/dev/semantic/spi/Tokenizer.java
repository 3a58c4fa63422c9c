package dev.semantic.spi;

import dev.semantic.generate.ChatMessage;
import dev.semantic.generate.Constraint;
import dev.semantic.generate.Prompt;
import dev.semantic.model.ModelException;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;

/**
 * From text to tokens and back, as one model does it. Safe for use by several threads; a call that
 * comes, or is still under way, when its model is closed may fail, but does no harm.
 */
public interface Tokenizer {
  /**
   * Tokens of raw text, special tokens in it recognised, as Hugging Face's tokenizers do. For what
   * users write there is {@link #encodeChat}.
   *
   * @param bos whether the beginning-of-sequence token is put first, where the model has one
   */
  int[] encode(String text, boolean bos);

  /**
   * The most characters (UTF-16 units) of a text that one token of {@link #encode} stands for,
   * whatever the text; 1 or more. With it a text that cannot fit is refused before its tokens are
   * made.
   *
   * @return empty where there is no such bound, or it is not known: where white space is dropped
   *     before the text is cut, say, or unknown characters in a row become one token
   */
  default OptionalInt maxCharsPerToken() {
    return OptionalInt.empty();
  }

  /** Whether the model was made with a beginning-of-sequence token in front of plain text. */
  boolean beginsWithBos();

  /**
   * Tokens of a conversation, rendered by the model's chat template up to where the assistant
   * answers. What looks like a special token in a message's content stays text.
   *
   * @throws ModelException if the model has no chat template or the template refuses the messages
   */
  int[] encodeChat(List<ChatMessage> messages);

  /** A conversation as text, rendered by the model's chat template. */
  String renderChat(List<ChatMessage> messages);

  /**
   * The same of a conversation with tools, their calls and results, and variables for the template.
   * None of it becomes special tokens that the template did not write.
   *
   * @throws dev.semantic.model.ModelException as {@link #encodeChat(List)} does; of a backend that
   *     knows messages of words only, also where there is more
   */
  default int[] encodeChat(Prompt.Chat chat) {
    return encodeChat(wordsOnly(chat));
  }

  /** The text that {@link #encodeChat(Prompt.Chat)} makes tokens of. */
  default String renderChat(Prompt.Chat chat) {
    return renderChat(wordsOnly(chat));
  }

  private static List<ChatMessage> wordsOnly(Prompt.Chat chat) {
    if (!new Prompt.Chat(chat.messages()).equals(chat)) {
      throw new ModelException(
          ModelException.Kind.UNSUPPORTED,
          "This backend renders messages without tools and variables; leave them out");
    }
    return chat.messages();
  }

  /** Whether the model carries a chat template. */
  boolean hasChatTemplate();

  /**
   * The source of its chat templates, which tells how its answers are written. Where there is none,
   * nothing.
   */
  default String chatTemplate() {
    return "";
  }

  /** How tokens become text again. */
  Detokenizer detokenizer();

  /** Text of all tokens; special tokens are left out. */
  default String decode(int[] tokens) {
    return detokenizer().decode(tokens);
  }

  /**
   * Turns a stream of tokens into a stream of text.
   *
   * @param keepSpecial whether special tokens show as they are written, or not at all
   */
  default TokenStream stream(boolean keepSpecial) {
    return detokenizer().stream(keepSpecial);
  }

  /** Tokens that end an answer. */
  Set<Integer> endTokens();

  /**
   * Compiles a constraint for this model's tokens. May take seconds; not on the thread that steps
   * the model.
   *
   * @return at the beginning of an answer
   * @throws ModelException of the kind INVALID if the constraint makes no sense or is too costly,
   *     UNSUPPORTED where answers can't be constrained
   */
  default TokenMatcher match(Constraint constraint) {
    throw new ModelException(
        ModelException.Kind.UNSUPPORTED, "This model's answers can't be constrained");
  }

  /**
   * Drops what it remembers of texts, as it may to make the tokens of a conversation that grew: an
   * agent is to be forgotten. Any thread.
   */
  default void forgetTexts() {}

  /** A streaming detokenizer: never splits a code point. Not safe for several threads. */
  interface TokenStream {
    /** The text that became complete with this token; may be empty. */
    String next(int token);

    /** What is left at the end; incomplete bytes become U+FFFD. */
    String rest();
  }
}
