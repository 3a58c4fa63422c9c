package dev.semantic.mlx.template;

import dev.semantic.mlx.template.Python.Undefined;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What {@code {% macro %}} makes, or a call block's {@code caller}. */
record Macro(String name, Node.Procedure procedure, Frame outer, Body body)
    implements Python.Callable {

  /** Carries out a macro's body. */
  interface Body {
    String run(List<Node> nodes, Frame frame);

    @Nullable Object value(Expr expr, Frame frame);
  }

  @Override
  public @Nullable Object call(
      List<@Nullable Object> positional, Map<String, @Nullable Object> named) {
    List<Node.Parameter> parameters = procedure.parameters();
    Frame frame = new Frame(outer);
    Budget.list(positional.size()); // those behind the parameters may be kept
    Dict rest = new Dict(named);
    int given = Math.min(positional.size(), parameters.size());
    for (int i = 0; i < parameters.size(); i++) {
      String parameter = parameters.get(i).name();
      if (i < given) {
        frame.set(parameter, positional.get(i));
      } else if (rest.containsKey(parameter)) {
        frame.set(parameter, rest.remove(parameter));
      } else {
        frame.set(parameter, new Undefined("parameter '" + parameter + "' was not provided"));
      }
    }
    specials(positional, rest, frame);
    for (int i = given; i < parameters.size(); i++) {
      Node.Parameter parameter = parameters.get(i);
      if (parameter.defaultValue() != null && !named.containsKey(parameter.name())) {
        frame.set(parameter.name(), body.value(parameter.defaultValue(), frame));
      }
    }
    String text = body.run(procedure.body(), frame);
    frame.end();
    return text;
  }

  @Override
  @SuppressWarnings("ReferenceEquality") // Python compares them so
  public boolean equals(@Nullable Object other) {
    return this == other;
  }

  @Override
  public int hashCode() {
    return System.identityHashCode(this);
  }

  /** What a template may ask of a macro; null if there is nothing of this name. */
  @Nullable Object member(String name) {
    return switch (name) {
      case "name" -> this.name;
      case "arguments" -> {
        Budget.many(procedure.parameters().size(), 24);
        yield new Tuple(
            procedure.parameters().stream().<@Nullable Object>map(Node.Parameter::name).toList());
      }
      case "caller" -> procedure.uses().caller();
      case "catch_kwargs" -> procedure.uses().kwargs();
      case "catch_varargs" -> procedure.uses().varargs();
      default -> null;
    };
  }

  private void specials(List<@Nullable Object> positional, Dict rest, Frame frame) {
    List<Node.Parameter> parameters = procedure.parameters();
    boolean declared = parameters.stream().anyMatch(p -> p.name().equals("caller"));
    if (procedure.uses().caller() && !declared) {
      Object caller = rest.remove("caller");
      frame.set("caller", caller == null ? new Undefined("No caller is defined") : caller);
    }
    if (procedure.uses().kwargs()) {
      frame.set("kwargs", rest);
    } else if (!rest.isEmpty()) {
      throw new TemplateException(
          "The macro '%s' takes no argument %s"
              .formatted(name, Repr.of(rest.keySet().iterator().next())));
    }
    if (procedure.uses().varargs()) {
      int given = Math.min(positional.size(), parameters.size());
      frame.set("varargs", new Tuple(positional.subList(given, positional.size())));
    } else if (positional.size() > parameters.size()) {
      throw new TemplateException(
          "The macro '%s' takes at most %d arguments, not %d"
              .formatted(name, parameters.size(), positional.size()));
    }
  }
}
