package dev.semantic.mlx.template;

import dev.semantic.mlx.template.Python.Namespace;
import dev.semantic.mlx.template.Python.Undefined;
import dev.semantic.mlx.template.Python.View;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.HexFormat;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.PrimitiveIterator;
import org.jspecify.annotations.Nullable;

/** How Python writes values: {@code str(value)} and {@code repr(value)}. */
final class Repr {
  private final StringBuilder out = new StringBuilder();

  private Repr() {}

  /** {@code str(value)}. */
  static String text(@Nullable Object value) {
    return switch (value) {
      case String s -> s;
      case Markup markup -> markup.text();
      case Undefined none -> "";
      case null, default -> of(value);
    };
  }

  /** {@code repr(value)}. */
  static String of(@Nullable Object value) {
    Repr repr = new Repr();
    repr.write(value);
    Budget.text(repr.out.length());
    return repr.out.toString();
  }

  private void write(@Nullable Object value) {
    Budget.look(32);
    switch (value) {
      case null -> append("None");
      case Boolean b -> append(b ? "True" : "False");
      case Double d -> append(decimal(d));
      case BigInteger n -> append(Numbers.text(n));
      case String s -> append(quoted(s));
      case Markup markup -> append("Markup(" + quoted(markup.text()) + ")");
      case Tuple tuple -> list("(", tuple, tuple.size() == 1 ? ",)" : ")");
      case List<?> list -> list("[", list, "]");
      case Map<?, ?> map -> map(map);
      case View view -> list(view.name() + "([", view.items(), "])");
      case Range r when r.step() == 1 -> append("range(%d, %d)".formatted(r.start(), r.stop()));
      case Range r -> append("range(%d, %d, %d)".formatted(r.start(), r.stop(), r.step()));
      case Undefined none -> append("Undefined");
      case Namespace space -> {
        append("<Namespace ");
        map(space.values());
        append(">");
      }
      case LoopState loop -> append("<LoopContext %s>".formatted(loop.place()));
      case Macro macro -> append("<Macro " + quoted(macro.name()) + ">");
      case Long n -> append(n.toString());
      default -> append("<" + Python.type(value) + ">");
    }
  }

  private void append(String text) {
    Budget.many(text.length(), 4);
    out.append(text);
  }

  private void list(String open, List<?> list, String close) {
    append(open);
    Iterator<?> items = list.iterator();
    while (items.hasNext()) {
      write(items.next());
      append(items.hasNext() ? ", " : "");
    }
    append(close);
  }

  private void map(Map<?, ?> map) {
    append("{");
    Iterator<? extends Map.Entry<?, ?>> entries = map.entrySet().iterator();
    while (entries.hasNext()) {
      Map.Entry<?, ?> entry = entries.next();
      write(entry.getKey());
      append(": ");
      write(entry.getValue());
      append(entries.hasNext() ? ", " : "");
    }
    append("}");
  }

  static String decimal(double d) {
    Budget.hold(64);
    Budget.look(1024);
    if (Double.isNaN(d)) {
      return "nan";
    }
    if (Double.isInfinite(d)) {
      return d > 0 ? "inf" : "-inf";
    }
    double size = Math.abs(d);
    if (d == 0 || (size >= 1e-4 && size < 1e16)) {
      String plain = new BigDecimal(Double.toString(d)).stripTrailingZeros().toPlainString();
      String signed = d == 0 && 1 / d < 0 && !plain.startsWith("-") ? "-" + plain : plain;
      return signed.contains(".") ? signed : signed + ".0";
    }
    String[] parts = shortest(d).split("E", 2);
    String digits =
        parts[0].endsWith(".0") ? parts[0].substring(0, parts[0].length() - 2) : parts[0];
    int exponent = parts.length > 1 ? Integer.parseInt(parts[1]) : 0;
    return "%se%s%02d".formatted(digits, exponent < 0 ? "-" : "+", Math.abs(exponent));
  }

  /** Java writes at least two digits, so the very smallest numbers are 4.9E-324 and 9.9E-324. */
  private static String shortest(double d) {
    String text = Double.toString(d);
    if (Math.abs(d) < Double.MIN_NORMAL) {
      BigDecimal one = new BigDecimal(text).round(new MathContext(1, RoundingMode.HALF_EVEN));
      return one.doubleValue() == d ? one.unscaledValue() + "E" + -one.scale() : text;
    }
    return text;
  }

  private static String quoted(String s) {
    Budget.many(s.length(), 4);
    Budget.look(16L * s.length());
    char quote = s.indexOf('\'') >= 0 && s.indexOf('"') < 0 ? '"' : '\'';
    StringBuilder out = new StringBuilder().append(quote);
    PrimitiveIterator.OfInt characters = s.codePoints().iterator();
    while (characters.hasNext()) {
      int c = characters.nextInt();
      switch (c) {
        case '\n' -> out.append("\\n");
        case '\r' -> out.append("\\r");
        case '\t' -> out.append("\\t");
        case '\\' -> out.append("\\\\");
        default -> {
          if (c == quote) {
            out.append('\\').append(quote);
          } else if (isPrintable(c)) {
            out.appendCodePoint(c);
          } else {
            Budget.hold(40);
            int digits = c < 0x100 ? 2 : c < 0x10000 ? 4 : 8;
            out.append(digits == 2 ? "\\x" : digits == 4 ? "\\u" : "\\U");
            out.append(HexFormat.of().toHexDigits(c, digits));
          }
        }
      }
    }
    return out.append(quote).toString();
  }

  static boolean isPrintable(int c) {
    return switch (Character.getType(c)) {
      case Character.CONTROL,
          Character.FORMAT,
          Character.SURROGATE,
          Character.PRIVATE_USE,
          Character.UNASSIGNED,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR ->
          false;
      case Character.SPACE_SEPARATOR -> c == ' ';
      default -> true;
    };
  }
}
