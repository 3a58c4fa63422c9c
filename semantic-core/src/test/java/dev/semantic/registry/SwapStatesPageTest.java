package dev.semantic.registry;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.semantic.registry.SwapEvent.Prepared;
import dev.semantic.registry.SwapEvent.Requested;
import dev.semantic.registry.SwapState.Preparing;
import dev.semantic.registry.SwapState.RollingBack;
import dev.semantic.registry.SwapState.Running;
import dev.semantic.swap.SwapPhase;
import dev.semantic.swap.SwapStrategy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/**
 * {@code docs/swap-states.md} is what {@link SwapMachine} says. {@code -Dsemantic.docs=write}
 * writes it anew.
 */
class SwapStatesPageTest {
  private static final String HEAD =
      """
      # The states of a swap
      Made from `SwapMachine` by `SwapStatesPageTest`, which fails when page and machine differ; \
      `mvn test -pl .,semantic-core -Dtest=SwapStatesPageTest -Dsemantic.docs=write` writes it anew. \
      What happens in each phase: [model hot swap](model-hot-swap.md).
      """;

  private static final String TABLE_HEAD =
      """

      ## Every state, every event
      A dash is an event that cannot happen in that state: the machine throws an `IllegalStateException` at once.

      """;

  /** A possible transition. */
  private record Edge(SwapState from, SwapEvent event, SwapState to) {}

  @Test
  void thePageIsWhatTheMachineSays() throws IOException {
    Path page = docs().resolve("swap-states.md");
    String rendered = rendered();
    if ("write".equals(System.getProperty("semantic.docs"))) {
      Files.writeString(page, rendered);
    }
    assertEquals(rendered, Files.readString(page));
  }

  private static Path docs() {
    Path here = Path.of("").toAbsolutePath();
    while (here != null && !Files.exists(here.resolve("docs/model-hot-swap.md"))) {
      here = here.getParent();
    }
    if (here == null) {
      throw new AssertionError("There is no docs directory above " + Path.of("").toAbsolutePath());
    }
    return here.resolve("docs");
  }

  private static String rendered() {
    StringBuilder page = new StringBuilder(HEAD);
    for (SwapStrategy strategy : SwapStrategy.values()) {
      page.append(diagram(strategy));
    }
    return page.append(TABLE_HEAD).append(table()).toString();
  }

  private static Optional<SwapState> next(SwapState state, SwapEvent event) {
    try {
      return Optional.of(SwapMachine.next(state, event));
    } catch (IllegalStateException impossible) {
      return Optional.empty();
    }
  }

  private static String diagram(SwapStrategy strategy) {
    StringBuilder text =
        new StringBuilder("\n## %s\n```mermaid\nstateDiagram-v2\n".formatted(strategy));
    List<Edge> edges = edges(strategy);
    edges.stream()
        .filter(edge -> edge.event() instanceof Requested)
        .forEach(edge -> text.append("  [*] --> %s\n".formatted(id(edge.from()))));
    edges.forEach(
        edge ->
            text.append(
                "  %s --> %s: %s\n"
                    .formatted(
                        id(edge.from()), id(edge.to()), edge.event().getClass().getSimpleName())));
    return text.append("```\n").toString();
  }

  /** What can happen to a swap that goes this way. */
  private static List<Edge> edges(SwapStrategy strategy) {
    List<Edge> edges = new ArrayList<>();
    for (SwapState state : SwapMachineTest.everyState()) {
      for (SwapEvent event : SwapMachineTest.everyEvent()) {
        next(state, event)
            .filter(to -> belongs(state, event, to, strategy))
            .ifPresent(to -> edges.add(new Edge(state, event, to)));
      }
    }
    return edges;
  }

  private static boolean belongs(
      SwapState from, SwapEvent event, SwapState to, SwapStrategy strategy) {
    return switch (from) {
      case Running(SwapPhase phase, SwapStrategy own) -> own == strategy;
      case RollingBack(SwapPhase failed, SwapStrategy own) -> own == strategy;
      case Preparing preparing ->
          event instanceof Prepared(SwapStrategy chosen)
              ? chosen == strategy
              : next(preparing, new Prepared(strategy)).isPresent();
      default -> next(to, new Prepared(strategy)).isPresent();
    };
  }

  /** A diagram has one strategy, which need not be said in it again. */
  private static String id(SwapState state) {
    return SwapMachineTest.name(state).replaceAll(" of \\w+", "").replace(" serving", "");
  }

  private static String table() {
    List<SwapEvent> events = SwapMachineTest.everyEvent();
    StringBuilder text = new StringBuilder("| state |");
    events.forEach(event -> text.append(" %s |".formatted(SwapMachineTest.name(event))));
    text.append("\n|---|").append("---|".repeat(events.size())).append('\n');
    for (SwapState state : SwapMachineTest.everyState()) {
      text.append(
          events.stream()
              .map(event -> next(state, event).map(SwapMachineTest::name).orElse("–"))
              .collect(
                  Collectors.joining(
                      " | ", "| %s | ".formatted(SwapMachineTest.name(state)), " |\n")));
    }
    return text.toString();
  }
}
