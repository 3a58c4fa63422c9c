package dev.semantic.generate;

import dev.semantic.model.ModelTag;
import java.time.Duration;
import java.util.List;

/**
 * An answer.
 *
 * @param model the very weights that gave it
 * @param promptTokens length of the prompt
 * @param cachedTokens how many of those were not computed again, because the agent's cache held
 *     them, or another's that begins alike
 * @param tokens what was generated, the end token included
 * @param text of the tokens, without what ended it
 * @param message the same as the assistant's next message, ready to be appended to the
 *     conversation: what was thought, said and called; of other prompts it says the text
 * @param timeToFirstToken from when the request was submitted to its first token
 * @param prefillTime for the prompt's tokens that were not cached
 * @param decodeTime for all tokens after the first
 */
public record GenerationResult(
    ModelTag model,
    int promptTokens,
    int cachedTokens,
    List<Integer> tokens,
    String text,
    ChatMessage message,
    FinishReason reason,
    Duration timeToFirstToken,
    Duration prefillTime,
    Duration decodeTime) {
  public GenerationResult {
    tokens = List.copyOf(tokens);
  }

  /** Computed tokens of the prompt for each second. */
  public double prefillTokensPerSecond() {
    return perSecond(promptTokens - cachedTokens, prefillTime);
  }

  /** Generated tokens after the first for each second; 0 if there were none. */
  public double decodeTokensPerSecond() {
    return perSecond(Math.max(0, tokens.size() - 1), decodeTime);
  }

  private static double perSecond(int tokens, Duration time) {
    return time.isZero() ? 0 : tokens * 1e9 / time.toNanos();
  }
}
