package dev.semantic.mlx.template;

import dev.semantic.mlx.template.Python.Undefined;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** The filters behind {@code |}. */
final class Filters {
  private final Predicates predicates;

  Filters(Predicates predicates) {
    this.predicates = predicates;
  }

  @Nullable Object apply(
      String name,
      @Nullable Object value,
      List<@Nullable Object> arguments,
      Map<String, @Nullable Object> named) {
    Given given = new Given(name, arguments, named);
    return switch (name) {
      case "trim" -> StringMethods.strip(Python.text(value), arguments, true, true);
      case "upper" -> Python.text(value).toUpperCase(Locale.ROOT);
      case "lower" -> Python.text(value).toLowerCase(Locale.ROOT);
      case "title" -> StringMethods.title(Python.text(value));
      case "capitalize" -> StringMethods.capitalize(Python.text(value));
      case "string", "safe" -> Python.text(value);
      case "escape", "e", "forceescape" -> escaped(Python.text(value));
      case "replace" ->
          StringMethods.replace(
              Python.text(value),
              Python.text(given.need(0, "old")),
              Python.text(given.need(1, "new")),
              Python.integer(given.or(2, "count", -1L)));
      case "indent" -> indented(Python.text(value), given);
      case "format" ->
          Formats.percent(
              Python.text(value), named.isEmpty() ? new Python.Tuple(arguments) : named);
      case "truncate" -> truncated(Python.text(value), given);
      case "center" -> centred(Python.text(value), (int) Python.integer(given.or(0, "width", 80L)));
      case "wordcount" -> (long) StringMethods.split(Python.text(value), null, -1).size();
      case "urlencode" ->
          URLEncoder.encode(Python.text(value), StandardCharsets.UTF_8)
              .replace("+", "%20")
              .replace("%2F", "/");
      case "tojson" -> Json.of(value, jsonOptions(given));
      case "default", "d" -> defaulted(value, given);
      case "length", "count" -> (long) length(value);
      case "list" -> Python.items(value);
      case "items" -> pairs(value);
      case "first" -> end(Python.items(value), true);
      case "last" -> end(Python.items(value), false);
      case "join" -> joined(value, given);
      case "reverse" -> reversed(value);
      case "sort" -> sorted(value, given);
      case "dictsort" -> dictSorted(value, given);
      case "unique" -> unique(value, given);
      case "map" -> mapped(value, given);
      case "select" -> chosen(value, item -> passes(item, arguments, 0), true);
      case "reject" -> chosen(value, item -> passes(item, arguments, 0), false);
      case "selectattr" ->
          chosen(value, item -> passes(at(item, given.need(0, "attribute")), arguments, 1), true);
      case "rejectattr" ->
          chosen(value, item -> passes(at(item, given.need(0, "attribute")), arguments, 1), false);
      case "groupby" -> grouped(value, given);
      case "batch" -> batches(value, given);
      case "attr" -> Members.attribute(value, Python.text(given.need(0, "name")));
      case "sum" -> summed(value, given);
      case "min" -> extreme(value, given, -1);
      case "max" -> extreme(value, given, 1);
      case "abs" ->
          Python.isInteger(value)
              ? (Object) Math.abs(Python.integer(value))
              : Math.abs(Python.number(value));
      case "int" -> NumberFilters.integer(value, given);
      case "float" -> NumberFilters.decimal(value, given);
      case "round" -> NumberFilters.rounded(value, given);
      default -> throw new TemplateException("There is no filter '" + name + "'");
    };
  }

  private static List<@Nullable Object> pairs(@Nullable Object value) {
    return switch (value) {
      case Map<?, ?> map -> Members.pairs(map);
      case Undefined none -> new ArrayList<>();
      case null, default -> throw new TemplateException(Python.type(value) + " has no pairs");
    };
  }

  private static Map<String, @Nullable Object> jsonOptions(Given given) {
    Map<String, @Nullable Object> options = new LinkedHashMap<>(given.named());
    if (!given.positional().isEmpty()) {
      options.put("ensure_ascii", given.positional().getFirst());
    }
    if (given.positional().size() > 1) {
      options.put("indent", given.positional().get(1));
    }
    return options;
  }

  private static String escaped(String text) {
    return text.replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace("\"", "&#34;")
        .replace("'", "&#39;");
  }

  private static String indented(String text, Given given) {
    Object width = given.or(0, "width", 4L);
    String space =
        width instanceof String s
            ? s
            : " ".repeat((int) Math.clamp(Python.integer(width), 0L, 1000L));
    boolean first = given.flag(1, "first");
    boolean blank = given.flag(2, "blank");
    String[] lines = text.split("\r\n|[\n\r]", -1);
    StringBuilder out = new StringBuilder();
    for (int i = 0; i < lines.length; i++) {
      boolean indent = i == 0 ? first : blank || !lines[i].isEmpty();
      out.append(i == 0 ? "" : "\n").append(indent ? space : "").append(lines[i]);
    }
    return out.toString();
  }

  private static String truncated(String text, Given given) {
    int length = (int) Python.integer(given.or(0, "length", 255L));
    String end = Python.text(given.or(2, "end", "..."));
    long leeway = Python.integer(given.or(3, "leeway", 5L));
    if (text.length() <= length + leeway) {
      return text;
    }
    String cut = text.substring(0, Math.max(0, length - end.length()));
    int space = cut.lastIndexOf(' ');
    return (given.flag(1, "killwords") || space < 0 ? cut : cut.substring(0, space)) + end;
  }

  private static String centred(String text, int width) {
    int missing = Math.clamp((long) width - text.length(), 0, 10_000);
    int left = missing / 2 + (missing & width & 1);
    return " ".repeat(left) + text + " ".repeat(missing - left);
  }

  private static @Nullable Object defaulted(@Nullable Object value, Given given) {
    boolean missing =
        value instanceof Undefined || (given.flag(1, "boolean") && !Python.isTrue(value));
    return missing ? given.or(0, "default_value", "") : value;
  }

  private static int length(@Nullable Object value) {
    return switch (value) {
      case String s -> s.codePointCount(0, s.length());
      case List<?> list -> list.size();
      case Map<?, ?> map -> map.size();
      case Undefined none -> 0;
      case null, default -> throw new TemplateException(Python.type(value) + " has no length");
    };
  }

  private static @Nullable Object end(List<@Nullable Object> items, boolean first) {
    if (items.isEmpty()) {
      return new Undefined(first ? "first item" : "last item");
    }
    return first ? items.getFirst() : items.getLast();
  }

  private static String joined(@Nullable Object value, Given given) {
    Object attribute = given.or(1, "attribute", null);
    return StringMethods.join(
        Python.text(given.or(0, "d", "")),
        Python.items(value).stream()
            .map(item -> Python.text(attribute == null ? item : at(item, attribute)))
            .toList());
  }

  private static Object reversed(@Nullable Object value) {
    if (value instanceof String text) {
      return new StringBuilder(text).reverse().toString();
    }
    List<@Nullable Object> items = Python.items(value);
    Collections.reverse(items);
    return items;
  }

  /** An attribute, also of what lies within: {@code function.name}. */
  private static @Nullable Object at(@Nullable Object item, Object attribute) {
    if (Python.isInteger(attribute)) {
      return Members.item(item, attribute);
    }
    Object value = item;
    for (String part : Python.text(attribute).split("\\.", -1)) {
      boolean index = !part.isEmpty() && part.chars().allMatch(Character::isDigit);
      value = Members.item(value, index ? (Object) Long.valueOf(part) : part);
    }
    return value;
  }

  private static @Nullable Object folded(@Nullable Object value, boolean caseSensitive) {
    return !caseSensitive && value instanceof String text ? text.toLowerCase(Locale.ROOT) : value;
  }

  private static List<@Nullable Object> sorted(@Nullable Object value, Given given) {
    boolean sensitive = given.flag(1, "case_sensitive");
    Object attribute = given.or(2, "attribute", null);
    Comparator<@Nullable Object> order =
        (a, b) ->
            Python.compare(
                folded(attribute == null ? a : at(a, attribute), sensitive),
                folded(attribute == null ? b : at(b, attribute), sensitive));
    List<@Nullable Object> items = Python.items(value);
    items.sort(given.flag(0, "reverse") ? order.reversed() : order);
    return items;
  }

  private static List<@Nullable Object> dictSorted(@Nullable Object value, Given given) {
    if (!(value instanceof Map<?, ?> map)) {
      throw new TemplateException(Python.type(value) + " is not a mapping");
    }
    boolean sensitive = given.flag(0, "case_sensitive");
    int by = Python.text(given.or(1, "by", "key")).equals("value") ? 1 : 0;
    Comparator<@Nullable Object> order =
        (a, b) ->
            Python.compare(
                folded(Python.items(a).get(by), sensitive),
                folded(Python.items(b).get(by), sensitive));
    List<@Nullable Object> pairs = Members.pairs(map);
    pairs.sort(given.flag(2, "reverse") ? order.reversed() : order);
    return pairs;
  }

  private static List<@Nullable Object> unique(@Nullable Object value, Given given) {
    boolean sensitive = given.flag(0, "case_sensitive");
    Object attribute = given.or(1, "attribute", null);
    List<@Nullable Object> seen = new ArrayList<>();
    List<@Nullable Object> kept = new ArrayList<>();
    for (Object item : Python.items(value)) {
      Object key = folded(attribute == null ? item : at(item, attribute), sensitive);
      if (seen.stream().noneMatch(known -> Python.equal(known, key))) {
        seen.add(key);
        kept.add(item);
      }
    }
    return kept;
  }

  private List<@Nullable Object> mapped(@Nullable Object value, Given given) {
    Object attribute = given.named().get("attribute");
    Object otherwise = given.named().get("default");
    List<@Nullable Object> results = new ArrayList<>();
    for (Object item : Python.isTrue(value) ? Python.items(value) : List.of()) {
      if (attribute != null) {
        Object found = at(item, attribute);
        results.add(found instanceof Undefined && otherwise != null ? otherwise : found);
      } else {
        String filter = Python.text(given.need(0, "filter"));
        List<@Nullable Object> rest = given.positional().subList(1, given.positional().size());
        results.add(apply(filter, item, rest, given.named()));
      }
    }
    return results;
  }

  private boolean passes(@Nullable Object item, List<@Nullable Object> arguments, int from) {
    return arguments.size() <= from
        ? Python.isTrue(item)
        : predicates.holds(
            Python.text(arguments.get(from)), item, arguments.subList(from + 1, arguments.size()));
  }

  private static List<@Nullable Object> chosen(
      @Nullable Object value, Predicate<@Nullable Object> passes, boolean wanted) {
    List<@Nullable Object> kept = new ArrayList<>();
    if (!Python.isTrue(value)) {
      return kept; // jinja2 does not look into what is empty, not even into None
    }
    for (Object item : Python.items(value)) {
      if (passes.test(item) == wanted) {
        kept.add(item);
      }
    }
    return kept;
  }

  private static List<@Nullable Object> grouped(@Nullable Object value, Given given) {
    Object attribute = given.need(0, "attribute");
    Map<@Nullable Object, List<@Nullable Object>> groups = new LinkedHashMap<>();
    List<@Nullable Object> items = Python.items(value);
    items.sort((a, b) -> Python.compare(at(a, attribute), at(b, attribute)));
    items.forEach(
        item -> groups.computeIfAbsent(at(item, attribute), key -> new ArrayList<>()).add(item));
    return Members.pairs(groups);
  }

  private static List<@Nullable Object> batches(@Nullable Object value, Given given) {
    int size = (int) Math.clamp(Python.integer(given.need(0, "linecount")), 1L, 1_000_000L);
    Object filler = given.or(1, "fill_with", null);
    List<@Nullable Object> items = Python.items(value);
    List<@Nullable Object> batches = new ArrayList<>();
    for (int from = 0; from < items.size(); from += size) {
      int to = Math.min(items.size(), from + size);
      List<@Nullable Object> batch = new ArrayList<>(items.subList(from, to));
      if (filler != null) {
        batch.addAll(Collections.nCopies(size - batch.size(), filler));
      }
      batches.add(batch);
    }
    return batches;
  }

  private static @Nullable Object summed(@Nullable Object value, Given given) {
    Object attribute = given.or(0, "attribute", null);
    Object sum = given.or(1, "start", 0L);
    for (Object item : Python.items(value)) {
      sum = Arithmetic.apply("+", sum, attribute == null ? item : at(item, attribute));
    }
    return sum;
  }

  private static @Nullable Object extreme(@Nullable Object value, Given given, int sign) {
    Object attribute = given.or(1, "attribute", null);
    Object best = new Undefined("extreme of nothing");
    for (Object item : Python.items(value)) {
      boolean better =
          best instanceof Undefined
              || sign
                      * Python.compare(
                          attribute == null ? item : at(item, attribute),
                          attribute == null ? best : at(best, attribute))
                  > 0;
      best = better ? item : best;
    }
    return best;
  }
}
