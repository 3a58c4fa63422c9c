package dev.semantic.model;

/**
 * The name by which a host asks for a model: a catalogue name ({@code smollm2-135m-instruct}) or a
 * path to a model file or directory. What it stands for is the runtime's to find out.
 *
 * @param name not blank
 */
public record ModelId(String name) {
  public ModelId {
    if (name.isBlank()) {
      throw new IllegalArgumentException("A model's name must not be blank");
    }
  }

  @Override
  public String toString() {
    return name;
  }
}
