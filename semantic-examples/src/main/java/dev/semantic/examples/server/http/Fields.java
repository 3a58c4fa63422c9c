package dev.semantic.examples.server.http;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * A JSON object of a request, read by name. A field that is null is none.
 *
 * @param place where it stands, for messages; empty for the body itself
 */
public record Fields(Map<String, @Nullable Object> all, String place) {
  public boolean has(String name) {
    return all.get(name) != null;
  }

  public Optional<String> text(String name) {
    return Optional.ofNullable(typed(name, String.class, "a string"));
  }

  public String requiredText(String name) {
    return text(name)
        .filter(text -> !text.isBlank())
        .orElseThrow(() -> HttpFailure.invalid(place(name) + " is missing"));
  }

  public boolean flag(String name) {
    return Boolean.TRUE.equals(typed(name, Boolean.class, "true or false"));
  }

  public OptionalDouble number(String name) {
    Number number = typed(name, Number.class, "a number");
    return number == null ? OptionalDouble.empty() : OptionalDouble.of(number.doubleValue());
  }

  public OptionalLong whole(String name) {
    Number number = typed(name, Number.class, "a whole number");
    if (number == null) {
      return OptionalLong.empty();
    }
    if (!(number instanceof Integer) && !(number instanceof Long)) {
      throw HttpFailure.invalid(
          "%s must be a whole number; it is %s".formatted(place(name), number));
    }
    return OptionalLong.of(number.longValue());
  }

  public Optional<Fields> object(String name) {
    Map<?, ?> map = typed(name, Map.class, "an object");
    return map == null ? Optional.empty() : Optional.of(of(map, place(name)));
  }

  /** Its objects; none if there is no such field. */
  public List<Fields> objects(String name) {
    List<Fields> objects = new ArrayList<>();
    for (Object each : list(name)) {
      String where = "%s[%d]".formatted(place(name), objects.size());
      if (!(each instanceof Map<?, ?> map)) {
        throw HttpFailure.invalid(where + " must be an object");
      }
      objects.add(of(map, where));
    }
    return objects;
  }

  public List<?> list(String name) {
    List<?> list = typed(name, List.class, "a list");
    return list == null ? List.of() : list;
  }

  /** A text, or a list of them. */
  public List<String> texts(String name) {
    if (!has(name) || all.get(name) instanceof String) {
      return text(name).stream().toList();
    }
    List<String> texts = new ArrayList<>();
    for (Object each : list(name)) {
      if (!(each instanceof String text)) {
        throw HttpFailure.invalid(place(name) + " must be a string, or a list of strings");
      }
      texts.add(text);
    }
    return texts;
  }

  private static Fields of(Map<?, ?> map, String place) {
    Map<String, @Nullable Object> fields = Json.object();
    map.forEach((name, value) -> fields.put(String.valueOf(name), value));
    return new Fields(fields, place);
  }

  private <T> @Nullable T typed(String name, Class<T> type, String what) {
    Object value = all.get(name);
    if (value != null && !type.isInstance(value)) {
      throw HttpFailure.invalid("%s must be %s".formatted(place(name), what));
    }
    return type.cast(value);
  }

  private String place(String name) {
    return place.isEmpty() ? name : place + "." + name;
  }
}
