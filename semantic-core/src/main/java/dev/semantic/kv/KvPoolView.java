package dev.semantic.kv;

import dev.semantic.memory.ByteSize;

/**
 * The account of KV cache memory, for reading: figures are those of the moment in which they are
 * asked for. Any thread.
 */
public interface KvPoolView {
  /** Blocks that could be taken now. */
  int availableBlocks();

  /** Blocks there are in the present geometry. */
  int totalBlocks();

  /** Bytes of one block in the present geometry. */
  ByteSize blockSize();

  /** What all caches together may take. */
  ByteSize capacity();
}
