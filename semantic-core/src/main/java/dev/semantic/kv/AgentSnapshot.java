package dev.semantic.kv;

/** An agent's cache that is to be parked. */
public record AgentSnapshot(AgentId agent, KvSnapshot snapshot) {}
