package dev.semantic.mlx.template;

import dev.semantic.mlx.template.Python.Callable;
import dev.semantic.mlx.template.Python.Namespace;
import dev.semantic.mlx.template.Python.Undefined;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Carries out a template's nodes and collects what they write. */
final class Renderer {
  private enum Flow {
    ON,
    BREAK,
    CONTINUE
  }

  private final Budget budget = new Budget();
  private final Evaluator evaluator = new Evaluator(budget);
  private StringBuilder out = new StringBuilder();

  String render(List<Node> nodes, Frame frame) {
    run(nodes, frame);
    return out.toString();
  }

  private void write(String text) {
    budget.write(text.length());
    out.append(text);
  }

  private Flow run(List<Node> nodes, Frame frame) {
    for (Node node : nodes) {
      budget.step();
      Flow flow = run(node, frame);
      if (flow != Flow.ON) {
        return flow;
      }
    }
    return Flow.ON;
  }

  private Flow run(Node node, Frame frame) {
    switch (node) {
      case Node.Text text -> write(text.text());
      case Node.Print print -> write(Python.text(evaluator.value(print.value(), frame)));
      case Node.If branches -> {
        return run(branch(branches, frame), frame);
      }
      case Node.For loop -> loop(loop, evaluator.value(loop.items(), frame), frame, 1);
      case Node.Assign assign -> assign(assign, frame);
      case Node.Capture capture ->
          set(
              capture.target(),
              filtered(captured(capture.body(), new Frame(frame)), capture.filters(), frame),
              frame);
      case Node.Macro macro ->
          frame.set(macro.name(), callable(macro.parameters(), macro.body(), frame));
      case Node.CallBlock block -> callBlock(block, frame);
      case Node.FilterBlock block ->
          write(
              Python.text(
                  filtered(captured(block.body(), new Frame(frame)), block.filters(), frame)));
      case Node.With with -> {
        Frame inner = new Frame(frame);
        with.values().forEach((name, value) -> inner.set(name, evaluator.value(value, frame)));
        return run(with.body(), inner);
      }
      case Node.Do statement -> evaluator.value(statement.value(), frame);
      case Node.Break stop -> {
        return Flow.BREAK;
      }
      case Node.Continue next -> {
        return Flow.CONTINUE;
      }
    }
    return Flow.ON;
  }

  private List<Node> branch(Node.If branches, Frame frame) {
    for (Map.Entry<Expr, List<Node>> branch : branches.branches()) {
      if (Python.isTrue(evaluator.value(branch.getKey(), frame))) {
        return branch.getValue();
      }
    }
    return branches.otherwise();
  }

  private void loop(Node.For loop, @Nullable Object items, Frame frame, int depth) {
    List<@Nullable Object> chosen = chosen(loop, items(loop, items), frame);
    if (chosen.isEmpty()) {
      run(loop.otherwise(), new Frame(frame));
      return;
    }
    Callable again =
        loop.recursive()
            ? (positional, named) ->
                capturing(() -> loop(loop, positional.getFirst(), frame, depth + 1))
            : null;
    LoopState state = new LoopState(chosen, depth, again);
    for (int i = 0; i < chosen.size(); i++) {
      Frame inner = new Frame(frame);
      state.at(i);
      inner.set("loop", state);
      bind(loop, chosen.get(i), inner);
      if (run(loop.body(), inner) == Flow.BREAK) {
        return;
      }
    }
  }

  private static List<@Nullable Object> items(Node.For loop, @Nullable Object items) {
    try {
      return Python.items(items);
    } catch (TemplateException e) {
      throw e.placed(loop.at());
    }
  }

  private List<@Nullable Object> chosen(Node.For loop, List<@Nullable Object> items, Frame frame) {
    if (loop.filter() == null) {
      return items;
    }
    List<@Nullable Object> kept = new ArrayList<>();
    for (Object item : items) {
      Frame inner = new Frame(frame);
      bind(loop, item, inner);
      if (Python.isTrue(evaluator.value(loop.filter(), inner))) {
        kept.add(item);
      }
    }
    return kept;
  }

  private static void bind(Node.For loop, @Nullable Object item, Frame frame) {
    if (loop.targets().size() == 1) {
      frame.set(loop.targets().getFirst(), item);
      return;
    }
    List<@Nullable Object> parts = parts(loop.at(), item, loop.targets().size());
    for (int i = 0; i < parts.size(); i++) {
      frame.set(loop.targets().get(i), parts.get(i));
    }
  }

  private static List<@Nullable Object> parts(Position at, @Nullable Object value, int count) {
    try {
      List<@Nullable Object> parts = Python.items(value);
      if (parts.size() == count) {
        return parts;
      }
      throw new TemplateException(
          "%d values cannot be taken apart into %d names".formatted(parts.size(), count));
    } catch (TemplateException e) {
      throw e.placed(at);
    }
  }

  private void assign(Node.Assign assign, Frame frame) {
    Object value = evaluator.value(assign.value(), frame);
    if (assign.targets().size() == 1) {
      set(assign.targets().getFirst(), value, frame);
      return;
    }
    List<@Nullable Object> parts = parts(assign.at(), value, assign.targets().size());
    for (int i = 0; i < parts.size(); i++) {
      set(assign.targets().get(i), parts.get(i), frame);
    }
  }

  private void set(Expr target, @Nullable Object value, Frame frame) {
    switch (target) {
      case Expr.Name name -> frame.set(name.name(), value);
      case Expr.Attribute attribute
          when evaluator.value(attribute.target(), frame) instanceof Namespace space ->
          space.values().put(attribute.name(), value);
      default ->
          throw new TemplateException(target.at(), "Only a namespace's attributes can be set");
    }
  }

  private @Nullable Object filtered(String text, List<Expr.Filter> filters, Frame frame) {
    Object value = text;
    for (Expr.Filter filter : filters) {
      value = evaluator.filter(filter, value, frame);
    }
    return value;
  }

  private String captured(List<Node> nodes, Frame frame) {
    return capturing(() -> run(nodes, frame));
  }

  private String capturing(Runnable writing) {
    StringBuilder outside = out;
    out = new StringBuilder();
    try {
      writing.run();
      return out.toString();
    } finally {
      out = outside;
    }
  }

  private Callable callable(List<Node.Parameter> parameters, List<Node> body, Frame frame) {
    return (positional, named) -> {
      Frame inner = new Frame(frame);
      Map<String, @Nullable Object> rest = new LinkedHashMap<>(named);
      for (int i = 0; i < parameters.size(); i++) {
        Node.Parameter parameter = parameters.get(i);
        Object value;
        if (i < positional.size()) {
          value = positional.get(i);
        } else if (rest.containsKey(parameter.name())) {
          value = rest.remove(parameter.name());
        } else {
          value =
              parameter.defaultValue() == null
                  ? new Undefined(parameter.name())
                  : evaluator.value(parameter.defaultValue(), inner);
        }
        inner.set(parameter.name(), value);
      }
      Object caller = rest.remove("caller");
      inner.set("caller", caller == null ? new Undefined("caller") : caller);
      inner.set(
          "varargs",
          new Python.Tuple(
              positional.size() > parameters.size()
                  ? positional.subList(parameters.size(), positional.size())
                  : List.of()));
      inner.set("kwargs", rest);
      return captured(body, inner);
    };
  }

  private void callBlock(Node.CallBlock block, Frame frame) {
    Object target = evaluator.value(block.call().target(), frame);
    if (!(target instanceof Callable macro)) {
      throw new TemplateException(block.at(), Python.type(target) + " cannot be called");
    }
    List<@Nullable Object> positional = new ArrayList<>();
    for (Expr argument : block.call().arguments().positional()) {
      positional.add(evaluator.value(argument, frame));
    }
    Map<String, @Nullable Object> named = evaluator.named(block.call().arguments().named(), frame);
    named.put("caller", callable(block.parameters(), block.body(), frame));
    write(Python.text(macro.call(positional, named)));
  }
}
