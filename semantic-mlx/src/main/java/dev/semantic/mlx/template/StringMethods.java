package dev.semantic.mlx.template;

import static dev.semantic.mlx.template.AttributeAccess.method;

import dev.semantic.mlx.template.Python.Callable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.BiPredicate;
import java.util.function.Function;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;

/** The methods of Python's strings. */
final class StringMethods {
  private StringMethods() {}

  /** A method of a string; null if it has none of this name. */
  static @Nullable Callable of(String text, String name) {
    Callable found = asking(text, name);
    found = found == null ? making(text, name) : found;
    found = found == null ? cutting(text, name) : found;
    if (found == null) {
      return null;
    }
    Callable method = found;
    return (positional, named) -> {
      Budget.look(text.length());
      return method.call(positional, named);
    };
  }

  private static @Nullable Callable asking(String text, String name) {
    return switch (name) {
      case "startswith" -> affix(text, name, String::startsWith);
      case "endswith" -> affix(text, name, String::endsWith);
      case "find", "index" -> search(text, name, TextSearch::first);
      case "rfind", "rindex" -> search(text, name, TextSearch::last);
      case "count" ->
          method(
              name,
              "sub start? end? /",
              g -> {
                String within = part(text, g);
                return within == null ? (Object) 0L : PythonText.count(within, g.text(0));
              });
      case "isdigit" -> every(text, name, Characters::isDigit);
      case "isdecimal" -> every(text, name, Character::isDigit);
      case "isnumeric" -> every(text, name, Characters::isNumeric);
      case "isalpha" -> every(text, name, Character::isLetter);
      case "isalnum" -> every(text, name, c -> Character.isLetter(c) || Characters.isNumeric(c));
      case "isspace" -> every(text, name, PythonText::isSpace);
      case "isprintable" ->
          method(name, "", g -> text.isEmpty() || text.codePoints().allMatch(Repr::isPrintable));
      case "isascii" -> method(name, "", g -> text.chars().allMatch(c -> c < 128));
      case "isupper" -> method(name, "", g -> PythonText.hasCase(text, Character::isUpperCase));
      case "islower" -> method(name, "", g -> PythonText.hasCase(text, Character::isLowerCase));
      case "istitle" ->
          method(
              name,
              "",
              g ->
                  text.codePoints().anyMatch(PythonText::isCased)
                      && PythonText.title(text).equals(text));
      case "isidentifier" ->
          method(
              name,
              "",
              g ->
                  !text.isEmpty()
                      && (text.charAt(0) == '_'
                          || Character.isUnicodeIdentifierStart(text.codePointAt(0)))
                      && text.codePoints().allMatch(Character::isUnicodeIdentifierPart));
      default -> null;
    };
  }

  private static @Nullable Callable making(String text, String name) {
    return switch (name) {
      case "upper" -> making(name, text, PythonText::upper);
      case "lower" -> making(name, text, PythonText::lower);
      case "casefold" ->
          making(name, text, t -> PythonText.lower(PythonText.replace(t, "ß", "ss", -1)));
      case "title" -> making(name, text, PythonText::title);
      case "capitalize" -> making(name, text, PythonText::capitalize);
      case "swapcase" -> making(name, text, Characters::swapCase);
      case "replace" ->
          method(
              name,
              "old new count? /",
              g -> PythonText.replace(text, g.text(0), g.text(1), g.integerOr(2, -1)));
      case "join" -> method(name, "iterable /", g -> join(text, Python.items(g.get(0))));
      case "format" -> (positional, named) -> BraceFormat.of(text, positional, named);
      case "format_map" ->
          method(name, "map /", g -> BraceFormat.of(text, List.of(), mapping(g.get(0))));
      case "zfill" ->
          method(
              name,
              "width /",
              g -> {
                int sign = text.startsWith("-") || text.startsWith("+") ? 1 : 0;
                return text.substring(0, sign)
                    + PythonText.pad(rest(text, sign), g.integer(0) - sign, "0", 1);
              });
      case "ljust" -> padded(text, name, 0);
      case "rjust" -> padded(text, name, 1);
      case "center" -> padded(text, name, 0.5);
      case "expandtabs" ->
          method(name, "tabsize?", g -> Characters.expandTabs(text, g.integerOr(0, 8)));
      default -> null;
    };
  }

  private static Callable making(String name, String text, Function<String, String> made) {
    return method(
        name,
        "",
        g -> {
          Budget.look(16L * text.length());
          return made.apply(text);
        });
  }

  private static Dict mapping(@Nullable Object value) {
    if (value instanceof Dict map) {
      return map;
    }
    throw new TemplateException("format_map needs a mapping, not " + Python.type(value));
  }

  private static @Nullable Callable cutting(String text, String name) {
    return switch (name) {
      case "strip" -> stripped(text, name, true, true);
      case "lstrip" -> stripped(text, name, true, false);
      case "rstrip" -> stripped(text, name, false, true);
      case "split" ->
          method(
              name,
              "sep? maxsplit?",
              g -> PythonText.split(text, separator(g), g.integerOr(1, -1)));
      case "rsplit" ->
          method(
              name,
              "sep? maxsplit?",
              g -> PythonText.splitFromEnd(text, separator(g), g.integerOr(1, -1)));
      case "splitlines" ->
          method(
              name,
              "keepends?",
              g -> {
                return PythonText.lines(text, g.flag(0));
              });
      case "removeprefix" ->
          method(
              name,
              "prefix /",
              g -> {
                boolean has = text.startsWith(g.text(0));
                return has ? rest(text, g.text(0).length()) : text;
              });
      case "removesuffix" ->
          method(
              name,
              "suffix /",
              g -> {
                Budget.text(text.length());
                boolean has = text.endsWith(g.text(0));
                return has ? text.substring(0, text.length() - g.text(0).length()) : text;
              });
      case "partition" ->
          method(
              name,
              "sep /",
              g -> partition(text, separating(g), TextSearch.first(text, g.text(0)), 0));
      case "rpartition" ->
          method(
              name,
              "sep /",
              g -> partition(text, separating(g), TextSearch.last(text, g.text(0)), 2));
      default -> null;
    };
  }

  private static Callable stripped(String text, String name, boolean left, boolean right) {
    return method(name, "chars? /", g -> PythonText.strip(text, g.textOrNone(0), left, right));
  }

  private static @Nullable String separator(Arguments g) {
    return g.get(0) == null ? null : separating(g);
  }

  private static String separating(Arguments g) {
    if (g.text(0).isEmpty()) {
      throw new TemplateException("A string cannot be split at ''");
    }
    return g.text(0);
  }

  private static String rest(String text, int from) {
    Budget.text(text.length() - from);
    return text.substring(from);
  }

  private static Tuple partition(String text, String separator, int at, int wholeAt) {
    Budget.list(6);
    Budget.text(text.length());
    if (at < 0) {
      String[] parts = {"", "", ""};
      parts[wholeAt] = text;
      return new Tuple(Arrays.asList(parts));
    }
    return new Tuple(
        Arrays.asList(text.substring(0, at), separator, text.substring(at + separator.length())));
  }

  private static Callable every(String text, String name, IntPredicate predicate) {
    return method(
        name,
        "",
        g -> {
          Budget.look(8L * text.length());
          return !text.isEmpty() && text.codePoints().allMatch(predicate);
        });
  }

  private static Callable padded(String text, String name, double shareBefore) {
    return method(
        name,
        "width fillchar? /",
        g -> {
          String fill = g.textOr(1, " ");
          if (PythonText.length(fill) != 1) {
            throw new TemplateException(name + " fills with one character, not " + Repr.of(fill));
          }
          return PythonText.pad(text, g.integer(0), fill, shareBefore);
        });
  }

  private static Callable affix(String text, String name, BiPredicate<String, String> holds) {
    return method(
        name,
        "prefix start? end? /",
        g -> {
          if (g.get(0) instanceof Tuple) {
            String part = part(text, g);
            return Python.items(g.get(0)).stream()
                .anyMatch(
                    option -> {
                      if (!(option instanceof String affix)) {
                        throw new TemplateException(name + " needs strings in its tuple");
                      }
                      Budget.look(affix.length());
                      return part != null && holds.test(part, affix);
                    });
          }
          String affix = g.text(0);
          String part = part(text, g);
          return part != null && holds.test(part, affix);
        });
  }

  /** The part that {@code start} and {@code end} name; null where they are beyond the end. */
  private static @Nullable String part(String text, Arguments g) {
    if (g.get(1) == null && g.get(2) == null) {
      return text;
    }
    if (g.get(1) != null && g.integer(1) > PythonText.length(text)) {
      return null;
    }
    int from = g.get(1) == null ? 0 : PythonText.offset(text, g.integer(1));
    int to = g.get(2) == null ? text.length() : PythonText.offset(text, g.integer(2));
    Budget.text(Math.max(0, to - from));
    return from > to ? null : text.substring(from, to);
  }

  private interface Search {
    int in(String text, String part);
  }

  private static Callable search(String text, String name, Search search) {
    return method(
        name,
        "sub start? end? /",
        g -> {
          String within = part(text, g);
          int at = within == null ? -1 : search.in(within, g.text(0));
          if (at >= 0) {
            int from = g.get(1) == null ? 0 : PythonText.offset(text, g.integer(1));
            return (long) text.codePointCount(0, from + at); // Python counts code points
          }
          if (name.endsWith("index")) {
            throw new TemplateException(Repr.of(g.get(0)) + " is not in the string");
          }
          return -1L;
        });
  }

  private static String join(String between, List<@Nullable Object> items) {
    List<String> parts = new ArrayList<>();
    for (Object item : items) {
      if (!(item instanceof String part)) {
        throw new TemplateException("join needs strings, not " + Python.type(item));
      }
      parts.add(part);
    }
    return PythonText.join(between, parts);
  }
}
