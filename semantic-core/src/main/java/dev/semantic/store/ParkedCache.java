package dev.semantic.store;

import dev.semantic.kv.AgentId;
import dev.semantic.memory.ByteSize;
import dev.semantic.model.ModelTag;
import java.time.Instant;

/**
 * What is known about a parked cache without reading it.
 *
 * @param agent whose it is
 * @param tag the model that computed it
 * @param tokens how many tokens it was computed from
 * @param size what it occupies where it is kept
 * @param when it was parked
 */
public record ParkedCache(AgentId agent, ModelTag tag, int tokens, ByteSize size, Instant when) {}
