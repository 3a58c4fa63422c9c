package dev.semantic.examples.server.clients;

import dev.semantic.examples.server.http.Fields;
import dev.semantic.examples.server.http.HttpFailure;
import dev.semantic.examples.server.http.Json;
import dev.semantic.generate.GenerationRequest;
import dev.semantic.generate.Prompt;
import dev.semantic.generate.Sampling;
import dev.semantic.kv.AgentId;
import dev.semantic.model.ModelSpec;
import dev.semantic.registry.ModelRegistry;
import io.helidon.webserver.http.ServerRequest;
import java.time.Duration;
import java.util.Optional;

/** Has the model that serves answer what clients ask. Any thread. */
public final class Answers {
  private final ModelRegistry registry;
  private final TokenCounter counter;
  private final int maxBody;
  private final Duration maxWait;

  /**
   * Of a registry.
   *
   * @param maxBody bytes of a request, at most
   * @param maxWait how long a request waits for its turn, or for a swap's end
   */
  public Answers(ModelRegistry registry, TokenCounter counter, int maxBody, Duration maxWait) {
    this.registry = registry;
    this.counter = counter;
    this.maxBody = maxBody;
    this.maxWait = maxWait;
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
    ModelSpec spec = serving(ask.model());
    GenerationRequest.Builder request =
        GenerationRequest.of(ask.prompt())
            .model(spec.id())
            .maxTokens(ask.maxTokens().orElse(spec.contextLength()))
            .sampling(ask.sampling().apply(usual(spec)))
            .stop(ask.stop().toArray(String[]::new))
            .deadline(maxWait);
    ask.agent().ifPresent(request::agent);
    ask.constraint().ifPresent(request::constraint);
    return new Answer(registry.generate(request.build()), spec.id().name());
  }

  /**
   * How many tokens a conversation would have.
   *
   * @throws HttpFailure as {@link #begin} does
   */
  public int count(String model, Prompt.Chat chat) {
    return counter.count(serving(model), chat);
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
