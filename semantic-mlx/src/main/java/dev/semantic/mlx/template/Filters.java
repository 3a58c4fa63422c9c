package dev.semantic.mlx.template;

import dev.semantic.mlx.template.Python.Undefined;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The filters behind {@code |}: their names and what each takes. */
final class Filters {
  /** Filters of Jinja that make web pages; no chat template names them. */
  private static final Set<String> NOT_HERE =
      Set.of("filesizeformat", "pprint", "random", "striptags", "urlize", "wordwrap", "xmlattr");

  private static final Map<String, Filter> KNOWN = new LinkedHashMap<>();

  private interface Body {
    @Nullable Object apply(@Nullable Object value, Arguments arguments);
  }

  private interface Filter {
    @Nullable Object apply(
        @Nullable Object value,
        List<@Nullable Object> positional,
        Map<String, @Nullable Object> named);
  }

  static {
    texts();
    numbers();
    lists();
    choices();
  }

  private Filters() {}

  private static void filter(String names, String signature, Body body) {
    Signature parameters = Signature.of(signature);
    for (String name : names.split(" ", -1)) {
      String what = "The filter '" + name + "'";
      KNOWN.put(
          name,
          (value, positional, named) ->
              body.apply(value, parameters.bind(what, positional, named)));
    }
  }

  private static void texts() {
    filter("trim", "chars?", (v, g) -> PythonText.strip(text(v), g.textOrNone(0), true, true));
    filter("upper", "", (v, g) -> PythonText.upper(text(v)));
    filter("lower", "", (v, g) -> PythonText.lower(text(v)));
    filter("title", "", (v, g) -> TextFilters.title(text(v)));
    filter("capitalize", "", (v, g) -> PythonText.capitalize(text(v)));
    filter("string", "", (v, g) -> text(v));
    filter("safe", "", (v, g) -> markup(text(v)));
    filter("escape e forceescape", "", (v, g) -> new Markup(TextFilters.escaped(text(v))));
    filter("replace", "old new count?", (v, g) -> TextFilters.replaced(text(v), g));
    filter("indent", "width? first? blank?", TextFilters::indented);
    filter("truncate", "length? killwords? end? leeway?", TextFilters::truncated);
    filter("center", "width?", (v, g) -> PythonText.pad(text(v), g.integerOr(0, 80), " ", 0.5));
    filter("wordcount", "", (v, g) -> TextFilters.words(text(v)));
    filter("urlencode", "", (v, g) -> TextFilters.urlEncoded(v));
    filter("tojson", "ensure_ascii? indent? separators? sort_keys?", Json::of);
    KNOWN.put("format", TextFilters::formatted);
  }

  private static void numbers() {
    filter("abs", "", (v, g) -> NumberFilters.absolute(v));
    filter("int", "default? base?", NumberFilters::integer);
    filter("float", "default?", NumberFilters::decimal);
    filter("round", "precision? method?", NumberFilters::rounded);
  }

  private static void lists() {
    filter("length count", "", (v, g) -> Python.length(v));
    filter("list", "", (v, g) -> Python.items(v));
    filter("items", "", (v, g) -> ListFilters.pairs(v));
    filter("first", "", (v, g) -> ListFilters.first(v));
    filter("last", "", (v, g) -> ListFilters.last(v));
    filter("join", "d? attribute?", ListFilters::joined);
    filter("reverse", "", (v, g) -> ListFilters.reversed(v));
    filter("sort", "reverse? case_sensitive? attribute?", ListFilters::sorted);
    filter("dictsort", "case_sensitive? by? reverse?", ListFilters::dictSorted);
    filter("unique", "case_sensitive? attribute?", ListFilters::unique);
    filter("groupby", "attribute default? case_sensitive?", ListFilters::grouped);
    filter("batch", "linecount fill_with?", ListFilters::batches);
    filter("slice", "slices fill_with?", ListFilters::slices);
    filter("sum", "attribute? start?", ListFilters::summed);
    filter("min", "case_sensitive? attribute?", (v, g) -> ListFilters.extreme(v, g, -1));
    filter("max", "case_sensitive? attribute?", (v, g) -> ListFilters.extreme(v, g, 1));
  }

  private static void choices() {
    filter("default d", "default_value? boolean?", (v, g) -> defaulted(v, g));
    filter("attr", "name", (v, g) -> AttributeAccess.attributeOnly(v, g.text(0)));
    KNOWN.put("map", Selections::mapped);
    KNOWN.put("select", (v, p, n) -> Selections.chosen(v, p, n, false, true));
    KNOWN.put("reject", (v, p, n) -> Selections.chosen(v, p, n, false, false));
    KNOWN.put("selectattr", (v, p, n) -> Selections.chosen(v, p, n, true, true));
    KNOWN.put("rejectattr", (v, p, n) -> Selections.chosen(v, p, n, true, false));
  }

  static Set<String> names() {
    return KNOWN.keySet();
  }

  static boolean exists(String name) {
    return KNOWN.containsKey(name) || NOT_HERE.contains(name);
  }

  static @Nullable Object apply(
      String name,
      @Nullable Object value,
      List<@Nullable Object> positional,
      Map<String, @Nullable Object> named) {
    Budget.look(64);
    Filter filter = KNOWN.get(name);
    if (filter == null) {
      throw new TemplateException(
          NOT_HERE.contains(name)
              ? "The filter '" + name + "' is Jinja's, but not one that chat templates use"
              : "There is no filter '" + name + "'");
    }
    if (!(value instanceof Markup markup)) {
      return filter.apply(value, positional, named);
    }
    return switch (name) {
      case "safe", "escape", "e" -> markup;
      default -> Markup.filtered(name, filter.apply(markup.text(), positional, named));
    };
  }

  private static String text(@Nullable Object value) {
    String text = Repr.text(value);
    Budget.look(text.length());
    return text;
  }

  private static Markup markup(String text) {
    Budget.hold(16);
    return new Markup(text);
  }

  private static @Nullable Object defaulted(@Nullable Object value, Arguments arguments) {
    boolean missing = value instanceof Undefined || (arguments.flag(1) && !Python.isTrue(value));
    return missing ? arguments.or(0, "") : value;
  }
}
