package dev.semantic.examples.talk;

import dev.semantic.model.ModelId;
import dev.semantic.model.ModelTag;
import dev.semantic.spi.ModelRuntime;
import dev.semantic.spi.PreparedModel;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** How each agent begins to talk to each model, in that model's tokens. */
final class Beginnings {
  private static final List<String> TOPICS =
      List.of("boats", "bridges", "bees", "clocks", "maps", "rain", "stairs", "kites");

  private final Map<ModelId, ModelTag> tags = new LinkedHashMap<>();
  private final Map<ModelId, List<int[]>> prompts = new LinkedHashMap<>();

  /**
   * Prepares each model once, which also finds out that it is there.
   *
   * @param agents how many
   */
  static Beginnings of(ModelRuntime runtime, Collection<ModelId> models, int agents) {
    Beginnings all = new Beginnings();
    for (ModelId model : List.copyOf(new java.util.LinkedHashSet<>(models))) {
      try (PreparedModel prepared = runtime.prepare(model)) {
        List<int[]> own = new ArrayList<>();
        for (int i = 0; i < agents; i++) {
          boolean bos = prepared.text().beginsWithBos();
          own.add(prepared.text().encode(text(i), bos));
        }
        all.tags.put(model, prepared.spec().tag());
        all.prompts.put(model, own);
      }
    }
    return all;
  }

  private static String text(int agent) {
    return "Letter number %d. I have been thinking about %s for a long time, and this is what I found out about them:"
        .formatted(agent + 1, TOPICS.get(agent % TOPICS.size()));
  }

  int[] of(ModelId model, int agent) {
    List<int[]> own = prompts.get(model);
    if (own == null) {
      throw new IllegalArgumentException("Nobody was to talk to " + model);
    }
    return own.get(agent);
  }

  Map<ModelId, ModelTag> tags() {
    return tags;
  }
}
