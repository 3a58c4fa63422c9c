package dev.semantic.mlx.template;

import dev.semantic.mlx.template.Python.Callable;
import dev.semantic.mlx.template.Python.Namespace;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Carries out a template's nodes and collects what they write. */
final class Renderer implements Macro.Body {
  private enum Flow {
    ON,
    BREAK,
    CONTINUE
  }

  private final Budget budget;
  private final Evaluator evaluator;
  private StringBuilder out = new StringBuilder();

  Renderer(Budget budget) {
    this.budget = budget;
    this.evaluator = new Evaluator(budget);
  }

  String render(List<Node> nodes, Frame frame) {
    flow(nodes, frame);
    return out.toString();
  }

  private void write(String text) {
    Budget.many(text.length(), 4); // here, and in the string that it becomes
    out.append(text);
  }

  private void writeFiltered(@Nullable Object result, Node.FilterBlock block) {
    if (!(Markup.plain(result) instanceof String text)) {
      throw new TemplateException(
          block.filters().getLast().at(),
          "A filter block needs a string, not " + Python.type(result));
    }
    write(text);
  }

  private Flow flow(List<Node> nodes, Frame frame) {
    for (Node node : nodes) {
      budget.step();
      Flow flow = flow(node, frame);
      if (flow != Flow.ON) {
        return flow;
      }
    }
    return Flow.ON;
  }

  private Flow flow(Node node, Frame frame) {
    switch (node) {
      case Node.Text text -> write(text.text());
      case Node.Print print -> print(print.value(), frame);
      case Node.If branches -> {
        return flow(branch(branches, frame), frame);
      }
      case Node.For loop -> {
        Object items = evaluator.value(loop.items(), frame);
        return placed(loop.at(), () -> loop(loop, items, frame, 1));
      }
      case Node.Assign assign ->
          assign(assign.target(), evaluator.value(assign.value(), frame), frame);
      case Node.Capture capture -> {
        Frame inner = new Frame(frame);
        return captured(
            capture.body(),
            inner,
            text -> assign(capture.target(), filtered(text, capture.filters(), inner), frame));
      }
      case Node.Macro macro ->
          frame.set(macro.name(), macro(macro.name(), macro.procedure(), frame));
      case Node.CallBlock block -> callBlock(block, frame);
      case Node.FilterBlock block -> {
        Frame inner = new Frame(frame);
        return captured(
            block.body(),
            inner,
            text -> writeFiltered(filtered(text, block.filters(), inner), block));
      }
      case Node.With with -> {
        Frame inner = new Frame(frame);
        for (Node.Assign assign : with.values()) {
          assign(assign.target(), evaluator.value(assign.value(), frame), inner);
        }
        return flow(with.body(), inner);
      }
      case Node.Unset unset ->
          unset.names().forEach(name -> frame.set(name, Python.Undefined.name(name)));
      case Node.Break stop -> {
        return Flow.BREAK;
      }
      case Node.Continue next -> {
        return Flow.CONTINUE;
      }
    }
    return Flow.ON;
  }

  private void print(Expr value, Frame frame) {
    placed(
        value.at(),
        () -> {
          write(Repr.text(evaluator.value(value, frame)));
          return Flow.ON;
        });
  }

  private List<Node> branch(Node.If branches, Frame frame) {
    for (Map.Entry<Expr, List<Node>> branch : branches.branches()) {
      if (Python.isTrue(evaluator.value(branch.getKey(), frame))) {
        return branch.getValue();
      }
    }
    return branches.otherwise();
  }

  private Flow loop(Node.For loop, @Nullable Object items, Frame frame, int depth) {
    if (loop.recursive() || loop.filter() != null) {
      frame.keep();
    }
    Callable again =
        loop.recursive()
            ? AttributeAccess.method(
                "loop",
                "iterable",
                arguments -> captured(() -> loop(loop, arguments.get(0), frame, depth + 1)))
            : null;
    LoopState state = new LoopState(chosen(loop, items, frame), depth, again);
    if (!state.hasNext()) {
      return flow(loop.otherwise(), new Frame(frame)); // a break there is that of a loop around
    }
    while (state.hasNext()) {
      budget.step();
      Frame inner = new Frame(frame);
      inner.set("loop", state);
      Object item = state.next();
      assign(loop.target(), item, inner);
      Flow flow = flow(loop.body(), inner);
      inner.end();
      if (flow == Flow.BREAK) {
        break;
      }
    }
    return Flow.ON;
  }

  /** Errors in what a generator does come when it is asked, far from where it was made. */
  private static <T> T placed(Position at, Supplier<T> action) {
    try {
      return action.get();
    } catch (TemplateException e) {
      throw e.placed(at);
    } catch (StackOverflowError e) {
      throw TemplateException.tooDeep(at);
    }
  }

  private @Nullable Object chosen(Node.For loop, @Nullable Object items, Frame frame) {
    Expr filter = loop.filter();
    if (filter == null) {
      return items;
    }
    Iterator<? extends @Nullable Object> all = Python.iterator(items);
    return new LazyValue(
        () -> {
          while (all.hasNext()) {
            budget.step();
            Object item = all.next();
            Frame inner = new Frame(frame);
            assign(loop.target(), item, inner);
            boolean passes = Python.isTrue(evaluator.value(filter, inner));
            inner.end();
            if (passes) {
              return item;
            }
          }
          return LazyValue.END;
        });
  }

  private void assign(Expr target, @Nullable Object value, Frame frame) {
    switch (target) {
      case Expr.Name name -> frame.set(name.name(), value);
      case Expr.TupleOf tuple -> {
        List<@Nullable Object> parts = placed(tuple.at(), () -> Python.items(value));
        if (parts.size() != tuple.items().size()) {
          throw new TemplateException(
              tuple.at(),
              "%d values cannot be taken apart into %d names"
                  .formatted(parts.size(), tuple.items().size()));
        }
        for (int i = 0; i < parts.size(); i++) {
          assign(tuple.items().get(i), parts.get(i), frame);
        }
      }
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

  private interface Use {
    void of(String text);
  }

  /** Uses what the nodes write, unless a break or continue leaves them. */
  private Flow captured(List<Node> nodes, Frame frame, Use use) {
    Budget.hold(64);
    StringBuilder outside = out;
    StringBuilder inside = new StringBuilder();
    out = inside;
    Flow flow;
    try {
      flow = flow(nodes, frame);
    } finally {
      out = outside;
    }
    if (flow == Flow.ON) {
      use.of(inside.toString());
    }
    return flow;
  }

  private String captured(Runnable writing) {
    Budget.hold(64);
    StringBuilder outside = out;
    out = new StringBuilder();
    try {
      writing.run();
      return out.toString();
    } finally {
      out = outside;
    }
  }

  @Override
  public String run(List<Node> nodes, Frame frame) {
    return captured(() -> flow(nodes, frame));
  }

  @Override
  public @Nullable Object value(Expr expr, Frame frame) {
    return evaluator.value(expr, frame);
  }

  private Macro macro(String name, Node.Procedure procedure, Frame frame) {
    Budget.hold(32);
    frame.keep();
    return new Macro(name, procedure, frame, this);
  }

  private void callBlock(Node.CallBlock block, Frame frame) {
    Macro caller = macro("caller", block.caller(), frame);
    write(Repr.text(evaluator.call(block.call(), frame, caller)));
  }
}
