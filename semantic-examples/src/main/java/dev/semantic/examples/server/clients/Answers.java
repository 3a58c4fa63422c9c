package dev.semantic.examples.server.clients;

import dev.semantic.examples.server.http.Fields;
import dev.semantic.examples.server.http.HttpFailure;
import dev.semantic.examples.server.http.Json;
import dev.semantic.generate.Generation;
import dev.semantic.generate.GenerationRequest;
import dev.semantic.generate.Prompt;
import dev.semantic.generate.Sampling;
import dev.semantic.kv.AgentId;
import dev.semantic.model.ModelSpec;
import dev.semantic.registry.ModelRegistry;
import io.helidon.webserver.http.ServerRequest;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;

/** Has the model that serves answer what clients ask. Any thread. */
public final class Answers {
  private final ModelRegistry registry;
  private final TokenCounter counter;
  private final ModelTurns turns;
  private final Map<String, String> aliases;
  private final int maxBody;
  private final Duration maxWait;

  /**
   * How requests are answered.
   *
   * @param policy what becomes of those that name another model than the one that serves
   * @param aliases other names of models
   * @param turn how long a model serves at least while another one is waited for
   * @param maxBody bytes of a request, at most
   * @param maxWait how long a request waits for its turn, or for a swap's end
   */
  public record Rules(
      ModelPolicy policy,
      Map<String, String> aliases,
      Duration turn,
      int maxBody,
      Duration maxWait) {}

  /**
   * Of a registry.
   *
   * @param known whether there is a model of that name
   */
  public Answers(
      ModelRegistry registry, TokenCounter counter, Predicate<String> known, Rules rules) {
    this.registry = registry;
    this.counter = counter;
    turns = new ModelTurns(registry, rules.policy, known, rules.maxWait, rules.turn);
    aliases = Map.copyOf(rules.aliases);
    maxBody = rules.maxBody;
    maxWait = rules.maxWait;
  }

  /**
   * What a request's body says.
   *
   * @throws HttpFailure if that is no JSON object
   */
  public Fields read(ServerRequest request) {
    return Json.read(request, maxBody);
  }

  /** Whose memory a request belongs to, if it says so. */
  public Optional<AgentId> agent(ServerRequest request, Fields body) {
    return AgentNames.of(request, body);
  }

  /**
   * Begins to answer.
   *
   * @throws HttpFailure if another model serves, or none
   * @throws dev.semantic.generate.RequestException if it is refused
   */
  public Answer begin(Ask ask) {
    String name = named(ask.model());
    return new Answer(turns.begin(name, spec -> begin(ask, spec)), name);
  }

  private String named(String name) {
    return aliases.getOrDefault(name, name);
  }

  private Generation begin(Ask ask, ModelSpec spec) {
    GenerationRequest.Builder request =
        GenerationRequest.of(ask.prompt())
            .model(spec.id())
            .maxTokens(ask.maxTokens().orElse(spec.contextLength()))
            .sampling(ask.sampling().apply(usual(spec)))
            .stop(ask.stop().toArray(String[]::new))
            .deadline(maxWait);
    ask.agent().ifPresent(request::agent);
    ask.constraint().ifPresent(request::constraint);
    return registry.generate(request.build());
  }

  /**
   * How many tokens a conversation would have.
   *
   * @throws HttpFailure as {@link #begin} does
   */
  public int count(String model, Prompt.Chat chat) {
    return counter.count(serving(named(model)), chat);
  }

  private ModelSpec serving(String name) {
    ModelSpec spec =
        registry
            .current()
            .orElseThrow(() -> HttpFailure.busy("No model serves; an admin has to load one"));
    if (!spec.id().name().equals(name)) {
      throw ModelsApi.missing(registry, name);
    }
    return spec;
  }

  /** What the model's makers recommend; where they say nothing, as both interfaces have it. */
  private static Sampling usual(ModelSpec spec) {
    Sampling recommended = Sampling.recommendedBy(spec);
    return recommended.temperature() == 0 ? recommended.withTemperature(1) : recommended;
  }
}
