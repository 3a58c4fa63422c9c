package dev.semantic.mlx.template;

import static dev.semantic.mlx.template.AttributeAccess.method;

import dev.semantic.mlx.template.Python.Callable;
import dev.semantic.mlx.template.Python.Namespace;
import java.time.Clock;
import java.time.ZonedDateTime;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The functions that every template may call. */
final class Globals {
  private Globals() {}

  static void into(Frame frame, Clock clock) {
    frame.set("range", (Callable) Globals::range);
    frame.set("namespace", (Callable) (p, n) -> new Namespace(merged("namespace", p, n)));
    frame.set("dict", (Callable) (p, n) -> merged("dict", p, n));
    frame.set("raise_exception", method("raise_exception", "message", Globals::refuse));
    frame.set(
        "strftime_now",
        method("strftime_now", "format", g -> Dates.format(g.text(0), ZonedDateTime.now(clock))));
    frame.set("joiner", method("joiner", "sep?", g -> joiner(g.or(0, ", "))));
    frame.set(
        "cycler",
        (Callable)
            (positional, named) -> {
              Signature.of("").bind("cycler", List.of(), named);
              Budget.hold(32);
              return new Cycler(positional);
            });
    frame.set(
        "lipsum",
        (Callable)
            (positional, named) -> {
              throw new TemplateException(
                  "lipsum is Jinja's, but makes random text: no chat template can mean that");
            });
  }

  private static @Nullable Object refuse(Arguments arguments) {
    throw new TemplateException("The template refuses: " + Repr.text(arguments.get(0)));
  }

  private static Range range(
      List<@Nullable Object> positional, Map<String, @Nullable Object> named) {
    Arguments arguments =
        Signature.of(positional.size() == 1 ? "stop /" : "start stop step? /")
            .bind("range", positional, named);
    Budget.hold(48);
    return positional.size() == 1
        ? new Range(0, arguments.integer(0), 1)
        : new Range(arguments.integer(0), arguments.integer(1), arguments.integerOr(2, 1));
  }

  private static Dict merged(
      String function, List<@Nullable Object> positional, Map<String, @Nullable Object> named) {
    Dict values = new Dict();
    if (positional.size() > 1) {
      throw new TemplateException(function + " takes one mapping and names");
    }
    for (Object value : positional) {
      if (value instanceof Dict map) {
        map.forEach(values::put);
        continue;
      }
      for (Object pair : Python.items(value)) {
        List<@Nullable Object> parts = Python.items(pair);
        if (parts.size() != 2) {
          throw new TemplateException(function + " needs pairs of a key and a value");
        }
        values.put(parts.get(0), parts.get(1));
      }
    }
    named.forEach(values::put);
    return values;
  }

  private static Callable joiner(@Nullable Object separator) {
    Budget.hold(128);
    boolean[] used = {false};
    return method(
        "joiner",
        "",
        g -> {
          Object text = used[0] ? separator : "";
          used[0] = true;
          return text;
        });
  }

  /** {@code cycler(...)}: goes round and round. */
  static final class Cycler {
    private final List<@Nullable Object> items;
    private int at;

    Cycler(List<@Nullable Object> items) {
      if (items.isEmpty()) {
        throw new TemplateException("cycler needs something to go through");
      }
      this.items = items;
    }

    @Nullable Object current() {
      return items.get(at);
    }

    /** A method; null if there is none of this name. */
    @Nullable Callable method(String name) {
      return switch (name) {
        case "next" ->
            AttributeAccess.method(
                name,
                "",
                g -> {
                  Object item = items.get(at);
                  at = (at + 1) % items.size();
                  return item;
                });
        case "reset" ->
            AttributeAccess.method(
                name,
                "",
                g -> {
                  at = 0;
                  return null;
                });
        default -> null;
      };
    }
  }
}
