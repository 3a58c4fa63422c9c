package dev.semantic.simulation;

import dev.semantic.model.KvLayout;
import dev.semantic.scripted.Geometry;
import dev.semantic.scripted.ScriptedHost;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What agents' memory should be, as simple as can be told: for each model the texts that it was
 * ever given, and what each agent holds of it.
 */
final class Memory {
  private final Map<Geometry, List<int[]>> everComputed = new EnumMap<>(Geometry.class);
  private final Map<Geometry, Map<String, int[]>> held = new EnumMap<>(Geometry.class);

  /** An agent's turn has ended: all but its last token was computed. */
  void keep(Geometry model, String agent, int[] said) {
    int[] computed = Arrays.copyOf(said, said.length - 1);
    everComputed.computeIfAbsent(model, m -> new ArrayList<>()).add(computed);
    held.computeIfAbsent(model, m -> new HashMap<>()).put(agent, computed);
  }

  /** A turn ended somewhere in this text; how far it was kept nobody can say. */
  void mayKeep(Geometry model, String agent, int[] said) {
    everComputed.computeIfAbsent(model, m -> new ArrayList<>()).add(said);
    held.computeIfAbsent(model, m -> new HashMap<>()).remove(agent);
  }

  /** The most tokens of a prompt that anybody could have computed before. */
  int most(Geometry model, int[] prompt) {
    return everComputed.getOrDefault(model, List.of()).stream()
        .mapToInt(text -> common(text, prompt))
        .max()
        .orElse(0);
  }

  /** The fewest that must not be computed again, as long as nothing went wrong. */
  int least(Geometry model, String agent, int[] prompt) {
    int[] own = held.getOrDefault(model, Map.of()).get(agent);
    if (own == null) {
      return 0;
    }
    int common = common(own, prompt);
    boolean windows =
        model.spec().kvLayout().layers().stream().mapToInt(KvLayout.Layer::window).sum() > 0;
    return windows && common < own.length ? 0 : common;
  }

  /** What both begin with, but never all of the prompt. */
  private static int common(int[] text, int[] prompt) {
    int mismatch = Arrays.mismatch(text, prompt);
    int common = mismatch < 0 ? text.length : mismatch;
    return Math.min(common, prompt.length - 1);
  }

  /** A text that is another's up to {@code at}, and goes on in its own way. */
  static int[] edited(int[] text, int at, int seed) {
    int[] result = text.clone();
    for (int i = at; i < text.length; i++) {
      result[i] = ScriptedHost.tokens(1, seed + i)[0];
    }
    result[at] = text[at] == 20 ? 21 : 20;
    return result;
  }
}
