package dev.semantic.mlx.template;

import java.time.Clock;
import java.time.ZoneId;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A chat template: turns a conversation into the text a model was trained on. Parsed once, rendered
 * by any number of threads. A template may be hostile: it sees nothing but the values given, and
 * its work, its depth, the memory it takes and its time are bounded. An interrupt of the thread
 * ends the rendering, too, and stays set.
 */
public final class ChatTemplate {
  private final List<Node> nodes;

  private ChatTemplate(List<Node> nodes) {
    this.nodes = nodes;
  }

  /**
   * Parses a template.
   *
   * @throws TemplateException if it is not one, with line and column
   */
  public static ChatTemplate parse(String source) {
    return within(new Budget(0), () -> new ChatTemplate(Parser.parse(source)));
  }

  /**
   * Renders with the system's clock.
   *
   * @param values texts, numbers, truth values, null, and lists and maps of them
   * @throws TemplateException if the template refuses the values or fails on them
   */
  public String render(Map<String, ? extends @Nullable Object> values) {
    return render(values, Clock.system(ZoneId.systemDefault()));
  }

  /** The same, at another time: some templates put the date into the prompt. */
  public String render(Map<String, ? extends @Nullable Object> values, Clock clock) {
    return render(values, clock, new Budget(size(values)));
  }

  String render(Map<String, ? extends @Nullable Object> values, Clock clock, Budget budget) {
    return within(budget, () -> new Renderer(budget).render(nodes, frame(values, clock)));
  }

  private static <T> T within(Budget budget, Supplier<T> work) {
    try {
      return ScopedValue.where(Budget.CURRENT, budget).call(work::get);
    } catch (TemplateException e) {
      throw e;
    } catch (StackOverflowError e) {
      throw new TemplateException("The template is nested too deeply");
    } catch (OutOfMemoryError e) { // what the template held is free again
      throw new TemplateException("There is not enough memory for the template");
    } catch (RuntimeException e) {
      throw new TemplateException("The template cannot be rendered: " + e);
    }
  }

  /** How much there is to be rendered, in characters. */
  static long size(@Nullable Object value) {
    return switch (value) {
      case String text -> text.length();
      case List<?> list -> list.stream().mapToLong(ChatTemplate::size).sum();
      case Map<?, ?> map ->
          map.entrySet().stream().mapToLong(e -> size(e.getKey()) + size(e.getValue())).sum();
      case null, default -> 1;
    };
  }

  private static Frame frame(Map<String, ? extends @Nullable Object> values, Clock clock) {
    Frame globals = new Frame(null);
    Globals.into(globals, clock);
    Frame frame = new Frame(globals);
    values.forEach((name, value) -> frame.set(name, Python.of(value)));
    return frame;
  }
}
