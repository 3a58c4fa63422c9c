package dev.semantic.store;

import dev.semantic.kv.KvEncoding;
import dev.semantic.kv.KvSnapshot;
import dev.semantic.model.KvLayout;
import dev.semantic.model.KvPrecision;

/**
 * What a parked cache is like inside.
 *
 * @param layout geometry, one entry per layer
 * @param precision of keys and values as they were computed
 * @param encoding how they are written
 * @param blocks how many blocks it shares or could share with others
 * @param imported as in {@link KvSnapshot}
 */
public record CacheDetails(
    KvLayout layout, KvPrecision precision, KvEncoding encoding, int blocks, boolean imported) {}
