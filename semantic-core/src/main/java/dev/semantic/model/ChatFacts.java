package dev.semantic.model;

import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * What a host wants to know of a model before it sends conversations there.
 *
 * @param tools whether its chat template takes tools; one that doesn't has them told in words
 * @param thinks whether it thinks before it answers, as far as its template tells
 * @param endTokens tokens that end an answer
 */
public record ChatFacts(boolean tools, boolean thinks, Set<Integer> endTokens) {
  /** Of a model that nothing is known of. */
  public static final ChatFacts NONE = new ChatFacts(false, false, Set.of());

  private static final Pattern TOOLS = Pattern.compile("\\btools\\b");

  public ChatFacts {
    endTokens = Set.copyOf(endTokens);
  }

  /**
   * What a template tells.
   *
   * @param template its source; empty where there is none
   */
  public static ChatFacts of(String template, Set<Integer> endTokens) {
    boolean thinks =
        Stream.of("</think>", "[/THINK]", "<|channel|>analysis", "<|channel>thought")
            .anyMatch(template::contains);
    return new ChatFacts(TOOLS.matcher(template).find(), thinks, endTokens);
  }
}
