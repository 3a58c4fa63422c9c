package dev.semantic.kv;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;

/**
 * Where keys and values come to lie that are being read: a runtime's own memory, so that nobody has
 * to copy them once more.
 */
@FunctionalInterface
public interface KvTarget {
  /**
   * Memory for a cache whose header has been checked. Called at most once for each reading, by the
   * thread that reads; what lies there afterwards is good only if the reading says so.
   *
   * @return a place for each layer; empty if this cache cannot be taken, and then nothing is read
   */
  Optional<List<KvBuffers>> buffers(KvSnapshotHeader header);

  /**
   * Where one layer's keys and values go: the tokens of each head one behind the other, from the
   * buffer's position 0 on. Several threads write at once.
   *
   * @param headStride bytes from one head's first token to the next head's
   */
  record KvBuffers(ByteBuffer keys, ByteBuffer values, int headStride) {
    @Override
    public ByteBuffer keys() {
      return keys.duplicate();
    }

    @Override
    public ByteBuffer values() {
      return values.duplicate();
    }
  }
}
