package dev.semantic.model;

import dev.semantic.memory.ByteSize;

/**
 * Everything about a model that is known from its headers, before a weight is read.
 *
 * @param id the name it was asked for by
 * @param tag what its caches are stamped with
 * @param architecture the field's name: {@code llama}, {@code gemma3}
 * @param parameters how many weights
 * @param hiddenSize width of the residual stream
 * @param vocabularySize length of a row of logits
 * @param contextLength the most tokens a sequence may hold
 * @param quantization as the file has it, most frequent first: {@code Q4_1}
 * @param compute the form in which its weights are computed with: {@code float32}
 * @param kvLayout geometry of the KV cache
 * @param kvPrecision number format of the KV cache while computing
 * @param fileSize bytes on disk
 * @param weightSize bytes in memory, in the form the runtime computes with
 * @param workingSize bytes that computing one chunk of a prompt takes besides, about: behind 4,096
 *     tokens, or all that the model can see
 * @param chatTemplate whether it renders conversations; without, it goes on with plain text only
 * @param sampling what its makers recommend
 * @param chat what it does in conversations
 */
public record ModelSpec(
    ModelId id,
    ModelTag tag,
    String architecture,
    long parameters,
    int hiddenSize,
    int vocabularySize,
    int contextLength,
    String quantization,
    String compute,
    KvLayout kvLayout,
    KvPrecision kvPrecision,
    ByteSize fileSize,
    ByteSize weightSize,
    ByteSize workingSize,
    boolean chatTemplate,
    SamplingDefaults sampling,
    ChatFacts chat) {

  /** Of a model whose headers tell nothing of its conversations but whether it has any. */
  public ModelSpec(
      ModelId id,
      ModelTag tag,
      String architecture,
      long parameters,
      int hiddenSize,
      int vocabularySize,
      int contextLength,
      String quantization,
      String compute,
      KvLayout kvLayout,
      KvPrecision kvPrecision,
      ByteSize fileSize,
      ByteSize weightSize,
      ByteSize workingSize,
      boolean chatTemplate,
      SamplingDefaults sampling) {
    this(
        id,
        tag,
        architecture,
        parameters,
        hiddenSize,
        vocabularySize,
        contextLength,
        quantization,
        compute,
        kvLayout,
        kvPrecision,
        fileSize,
        weightSize,
        workingSize,
        chatTemplate,
        sampling,
        ChatFacts.NONE);
  }

  /**
   * Of a model whose headers tell nothing of a chat template, which its codec does, and whose
   * makers recommend nothing.
   */
  public ModelSpec(
      ModelId id,
      ModelTag tag,
      String architecture,
      long parameters,
      int hiddenSize,
      int vocabularySize,
      int contextLength,
      String quantization,
      String compute,
      KvLayout kvLayout,
      KvPrecision kvPrecision,
      ByteSize fileSize,
      ByteSize weightSize,
      ByteSize workingSize) {
    this(
        id,
        tag,
        architecture,
        parameters,
        hiddenSize,
        vocabularySize,
        contextLength,
        quantization,
        compute,
        kvLayout,
        kvPrecision,
        fileSize,
        weightSize,
        workingSize,
        false,
        SamplingDefaults.NONE);
  }

  /** How many transformer blocks. */
  public int layers() {
    return kvLayout.layers().size();
  }

  /** Bytes by which a cache grows with one token, as long as no sliding window is full. */
  public long kvBytesPerToken() {
    return kvLayout.bytesPerToken(kvPrecision);
  }
}
