package dev.semantic.mlx.template;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * What a function takes, as Python would check it: {@code "old new count?"}. A question mark stands
 * after what may be left out; {@code /} stands after parameters that are given by place only.
 */
record Signature(List<String> names, int needed, int placed) {
  private static final Map<String, Signature> KNOWN = new ConcurrentHashMap<>();

  static Signature of(String text) {
    return KNOWN.computeIfAbsent(text, Signature::parse);
  }

  private static Signature parse(String text) {
    List<String> names = new ArrayList<>();
    int needed = 0;
    int placed = 0;
    for (String word : text.split(" ", -1)) {
      if (word.equals("/")) {
        placed = names.size();
      } else if (word.endsWith("?")) {
        names.add(word.substring(0, word.length() - 1));
      } else if (!word.isEmpty()) {
        names.add(word);
        needed++;
      }
    }
    return new Signature(names, needed, placed);
  }

  /**
   * The arguments by parameter.
   *
   * @throws TemplateException if there are too many, too few, or one of an unknown name
   */
  Arguments bind(
      String function, List<@Nullable Object> positional, Map<String, @Nullable Object> named) {
    if (positional.size() > names.size()) {
      throw new TemplateException(
          "%s takes at most %d arguments, not %d"
              .formatted(function, names.size(), positional.size()));
    }
    @Nullable Object[] values = new @Nullable Object[names.size()];
    boolean[] set = new boolean[names.size()];
    for (int i = 0; i < positional.size(); i++) {
      values[i] = Markup.plain(positional.get(i));
      set[i] = true;
    }
    named.forEach(
        (name, value) -> {
          int at = names.indexOf(name);
          if (at < placed || set[at]) {
            throw new TemplateException(
                at < placed
                    ? "%s takes no argument '%s'".formatted(function, name)
                    : "%s is given '%s' twice".formatted(function, name));
          }
          values[at] = Markup.plain(value);
          set[at] = true;
        });
    for (int i = 0; i < needed; i++) {
      if (!set[i]) {
        throw new TemplateException("%s needs '%s'".formatted(function, names.get(i)));
      }
    }
    return new Arguments(function, names, Arrays.asList(values), set);
  }
}
