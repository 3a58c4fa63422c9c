package dev.semantic.kv;

/**
 * An agent's name, as the host gives it. Any text; it never becomes part of a path as it is.
 *
 * @param name not blank, at most 1,000 characters
 */
public record AgentId(String name) {
  public AgentId {
    if (name.isBlank() || name.length() > 1000) {
      throw new IllegalArgumentException(
          "An agent's name must have 1 to 1,000 characters, not all blank; it has "
              + name.length());
    }
  }

  @Override
  public String toString() {
    return name;
  }
}
