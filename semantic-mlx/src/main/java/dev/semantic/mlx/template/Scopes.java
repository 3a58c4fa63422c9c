package dev.semantic.mlx.template;

import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Finds the variables that are not there yet. As in jinja2, a block that sets a name at any place
 * has that name for its own from its beginning: blocks within it that read the name before find
 * nothing, even where a value of that name was given. Where the block itself reads the name first,
 * or sets it below an {@code if} only, it begins with what lies around it.
 */
final class Scopes {
  private final @Nullable Scopes outer;
  private final boolean inLoop;
  private final Set<String> known;
  private final Set<String> stored;
  private final Set<String> unset;

  private Scopes(@Nullable Scopes outer, boolean inLoop, Scopes like) {
    this.outer = outer;
    this.inLoop = inLoop;
    this.known = new HashSet<>(like.known);
    this.stored = new HashSet<>(like.stored);
    this.unset = new HashSet<>(like.unset);
  }

  private Scopes(@Nullable Scopes outer, boolean inLoop) {
    this.outer = outer;
    this.inLoop = inLoop;
    this.known = new HashSet<>();
    this.stored = new HashSet<>();
    this.unset = new HashSet<>();
  }

  /**
   * Lets each block of the template begin with what it has to forget.
   *
   * @throws TemplateException if a loop sets {@code loop}
   */
  static void complete(List<Node> template) {
    new Scopes(null, false).complete(template, Set.of());
  }

  /**
   * First the block itself, whole, then those within it: they see all that it will set.
   *
   * @param given what has a value before the block begins, whatever it does later
   */
  private void complete(List<Node> block, Set<String> given) {
    block.forEach(this::own);
    block.forEach(this::inner);
    unset.removeAll(given);
    if (!unset.isEmpty()) {
      block.addFirst(new Node.Unset(Set.copyOf(unset)));
    }
  }

  /** What a node does to the block that it stands in. */
  private void own(Node node) {
    switch (node) {
      case Node.Print print -> load(print.value());
      case Node.If choice -> choose(choice);
      case Node.For loop -> load(loop.items());
      case Node.Assign assign -> {
        load(assign.value());
        target(assign.target(), this::store);
      }
      case Node.Capture capture -> target(capture.target(), this::store);
      case Node.Macro macro -> store(macro.name());
      case Node.CallBlock block -> load(block.call());
      case Node.FilterBlock block -> block.filters().forEach(this::load);
      case Node.With with -> with.values().forEach(value -> load(value.value()));
      case Node.Text text -> {}
      case Node.Unset forgotten -> {}
      case Node.Break stop -> {}
      case Node.Continue next -> {}
    }
  }

  private void choose(Node.If choice) {
    Map.Entry<Expr, List<Node>> first = choice.branches().getFirst();
    load(first.getKey());
    Scopes then = copy();
    first.getValue().forEach(then::own);
    Scopes others = copy();
    for (var branch : choice.branches().subList(1, choice.branches().size())) {
      others.load(branch.getKey());
      Scopes other = others.copy();
      branch.getValue().forEach(other::own);
      others.join(List.of(other));
    }
    Scopes otherwise = copy();
    choice.otherwise().forEach(otherwise::own);
    join(List.of(then, others, otherwise));
  }

  private Scopes copy() {
    long names = (long) known.size() + stored.size() + unset.size();
    Budget.look(64 * (names + 4)); // what makes a template of many names and branches slow
    return new Scopes(outer, inLoop, this);
  }

  private void join(List<Scopes> branches) {
    branches.forEach(branch -> Budget.look(32L * branch.known.size()));
    Set<String> sometimes = new HashSet<>();
    branches.forEach(branch -> sometimes.addAll(branch.stored));
    sometimes.removeAll(stored);
    for (Scopes branch : branches) {
      known.addAll(branch.known);
      stored.addAll(branch.stored);
      unset.addAll(branch.unset);
    }
    unset.removeAll(sometimes);
  }

  private void inner(Node node) {
    switch (node) {
      case Node.If choice -> {
        choice.branches().forEach(branch -> branch.getValue().forEach(this::inner));
        choice.otherwise().forEach(this::inner);
      }
      case Node.For loop -> {
        Scopes body = new Scopes(this, true);
        body.declare("loop");
        body.target(loop.target(), body::declare);
        body.complete(loop.body(), Set.of());
        new Scopes(this, true).complete(loop.otherwise(), Set.of());
      }
      case Node.Capture capture -> within().complete(capture.body(), Set.of());
      case Node.Macro macro -> procedure(macro.procedure());
      case Node.CallBlock block -> procedure(block.caller());
      case Node.FilterBlock block -> within().complete(block.body(), Set.of());
      case Node.With with -> {
        Scopes body = within();
        with.values().forEach(value -> body.target(value.target(), body::declare));
        body.complete(with.body(), Set.of());
      }
      default -> {}
    }
  }

  private Scopes within() {
    return new Scopes(this, inLoop);
  }

  private void procedure(Node.Procedure procedure) {
    Scopes body = within();
    procedure.parameters().forEach(parameter -> body.declare(parameter.name()));
    procedure.parameters().forEach(parameter -> body.load(parameter.defaultValue()));
    body.complete(procedure.body(), procedure.uses().names());
  }

  private boolean finds(String name) {
    return known.contains(name) || (outer != null && outer.finds(name));
  }

  private void load(@Nullable Expr expr) {
    if (expr != null) {
      Interpreter.names(expr).stream().filter(name -> !finds(name)).forEach(known::add);
    }
  }

  private void store(String name) {
    stored.add(name);
    if (known.add(name) && (outer == null || !outer.finds(name))) {
      unset.add(name);
    }
  }

  private void declare(String name) {
    stored.add(name);
    known.add(name);
  }

  private void target(Expr target, Consumer<String> set) {
    switch (target) {
      case Expr.Name name -> {
        if (inLoop && name.name().equals("loop")) {
          throw new TemplateException(name.at(), "Within a loop nothing else can be called 'loop'");
        }
        set.accept(name.name());
      }
      case Expr.TupleOf tuple -> tuple.items().forEach(item -> target(item, set));
      default -> load(target);
    }
  }
}
