package dev.semantic.mlx.template;

import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** {@code '{}'.format(x)}. */
final class BraceFormat {
  private static final Pattern MEMBER = Pattern.compile("\\.([^.\\[]+)|\\[([^\\]]+)\\]");

  private final List<@Nullable Object> positional;
  private final Map<?, ?> named;
  private int next;
  private boolean numbered;

  private BraceFormat(List<@Nullable Object> positional, Map<?, ?> named) {
    this.positional = positional;
    this.named = named;
  }

  static String of(String format, List<@Nullable Object> positional, Map<?, ?> named) {
    return new BraceFormat(positional, named).run(format, 2);
  }

  private String run(String format, int depth) {
    if (depth == 0) {
      throw new TemplateException("A format's fields are nested too deeply");
    }
    Budget.many(format.length(), 8); // its fields, too, are cut out of it
    Budget.look(16L * format.length());
    StringBuilder out = new StringBuilder();
    int i = 0;
    while (i < format.length()) {
      char c = format.charAt(i);
      boolean doubled = i + 1 < format.length() && format.charAt(i + 1) == c;
      if (c != '{' && c != '}') {
        out.append(c);
        i++;
      } else if (doubled) {
        out.append(c);
        i += 2;
      } else if (c == '}') {
        throw new TemplateException("A single '}' in the format " + Repr.of(format));
      } else {
        int end = end(format, i);
        String text = field(format.substring(i + 1, end), depth);
        Budget.many(text.length() + 16L, 4);
        out.append(text);
        i = end + 1;
      }
    }
    return out.toString();
  }

  private static int end(String format, int begin) {
    int depth = 0;
    for (int i = begin; i < format.length(); i++) {
      depth += format.charAt(i) == '{' ? 1 : format.charAt(i) == '}' ? -1 : 0;
      if (depth == 0) {
        return i;
      }
    }
    throw new TemplateException("A '{' without its '}' in the format " + Repr.of(format));
  }

  private String field(String field, int depth) {
    int end = 0;
    int brackets = 0;
    while (end < field.length()
        && (brackets > 0 || (field.charAt(end) != ':' && field.charAt(end) != '!'))) {
      brackets += field.charAt(end) == '[' ? 1 : field.charAt(end) == ']' ? -1 : 0;
      end++;
    }
    Object value = value(field.substring(0, end));
    String rest = field.substring(end);
    if (rest.startsWith("!")) {
      if (rest.length() < 2 || (rest.length() > 2 && rest.charAt(2) != ':')) {
        throw new TemplateException("A field's conversion is !r, !s or !a: {" + field + "}");
      }
      value =
          switch (rest.charAt(1)) {
            case 'r', 'a' -> Repr.of(value);
            case 's' -> Repr.text(value);
            default -> throw new TemplateException("There is no conversion " + rest);
          };
      rest = rest.substring(2);
    }
    String spec = rest.startsWith(":") ? rest.substring(1) : rest;
    return FormatSpec.apply(
        value, spec.indexOf('{') < 0 && spec.indexOf('}') < 0 ? spec : run(spec, depth - 1));
  }

  private @Nullable Object value(String path) {
    Matcher member = MEMBER.matcher(path);
    int end = member.find() ? member.start() : path.length();
    Object value = root(path.substring(0, end), end == path.length());
    int from = end;
    while (from < path.length()) {
      if (!member.find(from) || member.start() != from) {
        throw new TemplateException("Not a field: {" + path + "}");
      }
      String attribute = member.group(1);
      String index = member.group(2);
      if (attribute != null) {
        value = AttributeAccess.attribute(value, attribute);
      } else {
        value = AttributeAccess.item(value, isNumber(index) ? (Object) Long.valueOf(index) : index);
      }
      from = member.end();
    }
    return value;
  }

  private static boolean isNumber(String text) {
    return !text.isEmpty()
        && text.length() < 10
        && text.chars().allMatch(c -> c >= '0' && c <= '9');
  }

  private @Nullable Object root(String name, boolean alone) {
    if ((name.isEmpty() && alone) || isNumber(name)) {
      boolean counted = name.isEmpty();
      if (alone && (counted ? numbered : next > 0)) {
        throw new TemplateException("A format counts its fields all or none");
      }
      numbered |= alone && !counted;
      int index = counted ? next++ : Integer.parseInt(name);
      if (index >= positional.size()) {
        throw new TemplateException("The format finds no value " + index);
      }
      return positional.get(index);
    }
    if (!named.containsKey(name)) {
      throw new TemplateException("The format finds no '" + name + "'");
    }
    return named.get(name);
  }
}
