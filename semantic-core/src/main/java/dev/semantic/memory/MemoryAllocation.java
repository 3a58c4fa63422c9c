package dev.semantic.memory;

/**
 * Memory that something still holds, for a report on what an unload left behind.
 *
 * @param owner who holds it: a model, a sequence of one
 * @param what the array's name
 * @param shape in the field's notation: {@code [576, 1536] float32}
 */
public record MemoryAllocation(String owner, String what, String shape, ByteSize size) {
  /** {@code smollm2-135m: model.norm.weight [576] float32, 2.3 KiB}. */
  @Override
  public String toString() {
    return "%s: %s %s, %s".formatted(owner, what, shape, size);
  }
}
