package dev.semantic.examples.server.clients;

import dev.semantic.generate.Constraint;
import dev.semantic.generate.Prompt;
import dev.semantic.generate.Sampling;
import dev.semantic.kv.AgentId;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.UnaryOperator;

/**
 * What a client asks, whichever interface it speaks.
 *
 * @param model as the client calls it
 * @param agent whose memory it belongs to, if it says so
 * @param sampling what it changes of how tokens are drawn
 * @param maxTokens without, as many as the model's context holds
 * @param stop texts that end the answer
 * @param constraint what the answer must look like
 */
public record Ask(
    String model,
    Prompt prompt,
    Optional<AgentId> agent,
    UnaryOperator<Sampling> sampling,
    OptionalInt maxTokens,
    List<String> stop,
    Optional<Constraint> constraint) {}
