package dev.semantic.mlx.architecture;

import dev.semantic.model.ModelException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A model's {@code config.json}, read by key. What is asked for and missing, or not what it should
 * be, is refused with the key and the file; so an architecture need not check.
 */
public final class ModelConfig {
  private static final int LARGEST = 1 << 24;

  private final String origin;
  private final Map<String, ? extends @Nullable Object> values;

  /**
   * A configuration.
   *
   * @param origin the file, for messages
   * @param values as JSON has them: texts, numbers, truth values, lists and maps
   */
  public ModelConfig(String origin, Map<String, ? extends @Nullable Object> values) {
    this.origin = origin;
    this.values = Collections.unmodifiableMap(new LinkedHashMap<>(values));
  }

  /** Whether there is a value, and not {@code null}. */
  public boolean has(String key) {
    return values.get(key) != null;
  }

  /** A whole number from 1 to 2^24. */
  public int count(String key) {
    return whole(key, 1);
  }

  /** The same, or what it is where it is missing. */
  public int count(String key, int otherwise) {
    return has(key) ? count(key) : otherwise;
  }

  /** A positive number. */
  public float number(String key) {
    if (values.get(key) instanceof Number number) {
      float value = number.floatValue();
      if (value > 0 && Float.isFinite(value)) {
        return value;
      }
    }
    throw wrong("%s is %s, expected a positive number".formatted(key, shown(values.get(key))));
  }

  /** The same, or what it is where it is missing. */
  public float number(String key, float otherwise) {
    return has(key) ? number(key) : otherwise;
  }

  /** A truth value, or what it is where it is missing. */
  public boolean flag(String key, boolean otherwise) {
    if (!has(key)) {
      return otherwise;
    }
    if (values.get(key) instanceof Boolean flag) {
      return flag;
    }
    throw wrong("%s is %s, expected true or false".formatted(key, shown(values.get(key))));
  }

  /** A text. */
  public String text(String key) {
    if (values.get(key) instanceof String text) {
      return text;
    }
    throw wrong("%s is %s, expected a text".formatted(key, shown(values.get(key))));
  }

  /** The same, or what it is where it is missing. */
  public String text(String key, String otherwise) {
    return has(key) ? text(key) : otherwise;
  }

  /** A list of positive numbers; one number stands for a list of one. */
  public List<Float> numbers(String key) {
    List<Float> numbers = new ArrayList<>();
    for (Object value : list(key)) {
      numbers.add(new ModelConfig(origin, Map.of(key, value)).number(key));
    }
    return numbers;
  }

  /** A list of texts; empty where it is missing. */
  public List<String> texts(String key) {
    List<String> texts = new ArrayList<>();
    for (Object value : has(key) ? list(key) : List.of()) {
      texts.add(new ModelConfig(origin, Map.of(key, value)).text(key));
    }
    return texts;
  }

  private List<Object> list(String key) {
    List<Object> list = new ArrayList<>();
    Object given = values.get(key);
    for (Object value : given instanceof List<?> many ? many : Collections.singletonList(given)) {
      if (value == null) {
        throw wrong("%s is %s, expected a list".formatted(key, shown(given)));
      }
      list.add(value);
    }
    return list;
  }

  /** An object in it; empty where it is missing. */
  public Optional<ModelConfig> section(String key) {
    if (!has(key)) {
      return Optional.empty();
    }
    if (values.get(key) instanceof Map<?, ?> map) {
      Map<String, @Nullable Object> inner = new LinkedHashMap<>();
      map.forEach((name, value) -> inner.put(String.valueOf(name), value));
      return Optional.of(new ModelConfig(origin + ", " + key, inner));
    }
    throw wrong("%s is %s, expected an object".formatted(key, shown(values.get(key))));
  }

  /** This configuration with other values for some keys. */
  public ModelConfig with(Map<String, ? extends @Nullable Object> others) {
    Map<String, @Nullable Object> all = new LinkedHashMap<>(values);
    all.putAll(others);
    return new ModelConfig(origin, all);
  }

  /** All of it, as JSON has it. */
  public Map<String, ? extends @Nullable Object> values() {
    return values;
  }

  /**
   * Rotary positions as {@code rope_theta} with {@code rope_scaling}, or {@code rope_parameters},
   * describe them.
   *
   * @param dimensions how much of each head turns
   * @param usualBase where no base is given
   */
  public RotarySpec rotary(int dimensions, float usualBase) {
    return RotaryConfig.read(this, "full_attention", dimensions, usualBase);
  }

  /** What to throw where the configuration cannot be: names the file. */
  public ModelException wrong(String what) {
    return new ModelException(ModelException.Kind.DAMAGED, "%s: %s".formatted(origin, what));
  }

  /** The same where it may be a good one, but of a kind that is not known here. */
  public ModelException unsupported(String what) {
    return new ModelException(ModelException.Kind.UNSUPPORTED, "%s: %s".formatted(origin, what));
  }

  private int whole(String key, int least) {
    Object value = values.get(key);
    if (value instanceof Number number) {
      double exact = number.doubleValue();
      if (exact >= least && exact <= LARGEST && exact == Math.rint(exact)) {
        return number.intValue();
      }
    }
    throw wrong(
        "%s is %s, expected a whole number from %d to %d"
            .formatted(key, shown(value), least, LARGEST));
  }

  private static String shown(@Nullable Object value) {
    if (value == null) {
      return "missing";
    }
    String text = value instanceof String ? "\"" + value + "\"" : String.valueOf(value);
    return text.length() <= 40 ? text : text.substring(0, 40) + "…";
  }
}
