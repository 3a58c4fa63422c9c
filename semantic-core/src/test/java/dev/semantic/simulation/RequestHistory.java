package dev.semantic.simulation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.generate.FinishReason;
import dev.semantic.generate.Generation;
import dev.semantic.generate.GenerationEvent;
import dev.semantic.generate.GenerationRequest;
import dev.semantic.generate.GenerationResult;
import dev.semantic.generate.Prompt;
import dev.semantic.generate.RequestException;
import dev.semantic.kv.AgentId;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.Iterator;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** All that was asked in a run, in which order, and what must hold of it whatever happened. */
final class RequestHistory {
  private static final Set<FinishReason> WHOLE =
      EnumSet.of(FinishReason.END_TOKEN, FinishReason.MAX_TOKENS);

  private final List<Asked> all = new ArrayList<>();
  private int calls; // of clients, begun and ended
  private @Nullable String overtaking;

  /** One request, between two of what clients did: what ended before another began came first. */
  record Asked(Generation generation, GenerationRequest request, int from, int to, long when) {
    private boolean isBefore(Asked other) {
      return to < other.from && request.agent().isPresent() && isSameAgent(other);
    }

    private boolean isSameAgent(Asked other) {
      return request.agent().equals(other.request.agent());
    }

    boolean isAnswered() {
      return result().isPresent();
    }

    Optional<GenerationResult> result() {
      if (!generation.isDone()) {
        return Optional.empty();
      }
      try {
        return Optional.of(generation.await());
      } catch (RequestException none) {
        return Optional.empty();
      }
    }
  }

  /** A client does something. */
  int tick() {
    return ++calls;
  }

  /** A request that was asked since {@code from}, and is now, on the clock. */
  void add(Generation generation, GenerationRequest request, int from, long now) {
    all.add(new Asked(generation, request, from, tick(), now));
  }

  /** When it had been asked, on the clock. */
  @SuppressWarnings("ReferenceEquality") // that very one
  long when(Generation generation) {
    return all.stream()
        .filter(asked -> asked.generation() == generation)
        .mapToLong(Asked::when)
        .findFirst()
        .orElseThrow();
  }

  List<Asked> all() {
    return all;
  }

  /** The first that the agent asked after that. */
  Optional<Asked> firstOf(AgentId agent, int after) {
    return of(agent).filter(asked -> asked.to() > after).min(Comparator.comparingInt(Asked::from));
  }

  private Stream<Asked> of(AgentId agent) {
    return all.stream().filter(asked -> asked.request().agent().filter(agent::equals).isPresent());
  }

  /** The last of an agent's, if it was answered whole and no other can have come after it. */
  Optional<Asked> lastAnswered(AgentId agent) {
    Optional<Asked> last = of(agent).max(Comparator.comparingInt(Asked::from));
    return last.filter(asked -> asked.request().prompt() instanceof Prompt.Tokens)
        .filter(asked -> asked.result().filter(r -> WHOLE.contains(r.reason())).isPresent())
        .filter(asked -> of(agent).allMatch(other -> other.equals(asked) || other.isBefore(asked)));
  }

  /** Whether somebody has an answer to a later request before the end of an earlier one. */
  void lookForOvertaking() {
    List<Asked> now = List.copyOf(all); // somebody may ask while an answer is waited for
    List<Asked> open = now.stream().filter(asked -> !asked.generation().isDone()).toList();
    for (Asked earlier : open) {
      for (Asked later : now) {
        if (earlier.isBefore(later) && later.isAnswered()) {
          overtaking = "%s was answered before %s".formatted(later, earlier);
        }
      }
    }
  }

  /** What a run was like, as far as it says which ends a request may have. */
  record Run(boolean troubled, boolean closed, boolean unloaded) {}

  void check(Run run) {
    assertNull(overtaking);
    for (Asked asked : all) {
      checkEvents(asked.generation());
      checkKind(asked, run);
    }
  }

  /** One end, and the tokens that were heard are those of the answer. */
  private static void checkEvents(Generation generation) {
    assertTrue(generation.isDone(), "a request was lost");
    List<Integer> heard = new ArrayList<>();
    @Nullable GenerationEvent end = null;
    for (Iterator<GenerationEvent> events = generation.events(); events.hasNext(); ) {
      end = events.next();
      if (end instanceof GenerationEvent.Token token) {
        heard.add(token.id());
      }
    }
    if (end instanceof GenerationEvent.Finished(var result)) {
      assertEquals(result.tokens(), heard, "what was heard is not what was answered");
      assertTrue(result.cachedTokens() < result.promptTokens(), "more cached than asked");
    }
  }

  /** Nobody is told of a reason that there was not. */
  private static void checkKind(Asked asked, Run run) {
    RequestException refusal = refusal(asked.generation());
    if (refusal == null) {
      return;
    }
    RequestException.Kind kind = Objects.requireNonNull(refusal.kind());
    GenerationRequest request = asked.request();
    boolean possible =
        switch (kind) {
          case FAILED -> run.troubled();
          case CLOSED -> run.closed();
          case NO_MODEL -> run.unloaded() || run.troubled() || run.closed();
          case WRONG_MODEL -> request.model().isPresent();
          case TOO_LONG -> request.prompt() instanceof Prompt.Text;
          case INVALID, INTERRUPTED, QUEUE_FULL -> false;
          case TIME_LIMIT, CANCELLED, NO_ROOM -> true;
        };
    if (!possible) {
      throw new AssertionError("a " + kind + " that cannot be: " + asked, refusal);
    }
  }

  private static @Nullable RequestException refusal(Generation generation) {
    try {
      generation.await();
      return null;
    } catch (RequestException none) {
      return none;
    }
  }
}
