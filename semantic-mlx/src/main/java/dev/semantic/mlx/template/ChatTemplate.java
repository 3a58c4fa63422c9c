package dev.semantic.mlx.template;

import java.time.Clock;
import java.time.ZoneId;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A chat template: turns a conversation into the text a model was trained on. Parsed once, rendered
 * by any number of threads. A template may be hostile: it sees nothing but the values given, and
 * its steps, depth and output are bounded.
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
    try {
      return new ChatTemplate(Parser.parse(source));
    } catch (StackOverflowError e) {
      throw new TemplateException("The template is nested too deeply");
    }
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
    Budget budget = new Budget();
    try {
      return ScopedValue.where(Budget.CURRENT, budget)
          .call(() -> new Renderer(budget).render(nodes, frame(values, clock)));
    } catch (ArithmeticException | StackOverflowError e) {
      throw new TemplateException("The template cannot be rendered: " + e);
    }
  }

  private static Frame frame(Map<String, ? extends @Nullable Object> values, Clock clock) {
    Frame globals = new Frame(null);
    Globals.into(globals, clock);
    Frame frame = new Frame(globals);
    values.forEach((name, value) -> frame.set(name, Python.of(value)));
    return frame;
  }
}
