package dev.semantic.store;

import dev.semantic.memory.ByteSize;

/**
 * How full a store is that forgets what goes beyond its bound.
 *
 * @param bytes what the caches that are parked in it occupy
 * @param limit what they may occupy together
 * @param forgotten how many caches it has forgotten so far to keep within that; each costs its
 *     agent a prefill
 */
public record CacheUsage(ByteSize bytes, ByteSize limit, long forgotten) {}
