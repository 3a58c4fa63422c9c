package dev.semantic.spi;

import dev.semantic.kv.KvSnapshot;
import dev.semantic.model.ModelSpec;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * A model whose weights are in memory. One thread at a time may use it and its sequences (the
 * engine's scheduler does).
 */
public interface LoadedModel extends AutoCloseable {
  ModelSpec spec();

  /** Bytes of the runtime's active memory that the load took, sequences not counted. */
  default long bytes() {
    return spec().weightSize().bytes();
  }

  /**
   * Active bytes of this model and its sequences alone, as they are now; once it was closed, what
   * is left of them. By any thread.
   *
   * @return empty where only the runtime's whole account is known
   */
  default OptionalLong activeBytes() {
    return OptionalLong.empty();
  }

  /** An empty sequence. */
  Sequence open();

  /**
   * A sequence that goes on where {@code snapshot} was taken.
   *
   * @throws IllegalArgumentException if the snapshot's tag, layout or precision is another model's;
   *     nothing has changed then
   */
  Sequence restore(KvSnapshot snapshot);

  /**
   * Memory for a sequence that is about to be read from where it is parked. By any thread.
   *
   * @return empty where this runtime takes snapshots only
   */
  default Optional<KvAllocation> allocateKv() {
    return Optional.empty();
  }

  /**
   * Runs the model over new tokens of several sequences and appends their keys and values. Prefill:
   * one sequence, many tokens. Decode: many sequences, one token each.
   *
   * @param batch no sequence twice, no chunk empty
   * @return for every chunk the logits {@code [vocabularySize]} after its last token, or an empty
   *     array where none were wanted
   */
  List<float[]> forward(List<Chunk> batch);

  /** Frees the weights and every sequence still open; what was active before the load is again. */
  @Override
  void close();

  /**
   * New tokens of one sequence.
   *
   * @param logits whether the logits after the last token are wanted
   */
  record Chunk(Sequence sequence, int[] tokens, boolean logits) {}
}
