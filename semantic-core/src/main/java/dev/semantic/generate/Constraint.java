package dev.semantic.generate;

import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;

/**
 * What an answer must look like, whatever the model would rather say: tokens that lead out of it
 * are never drawn. An answer that is cut short (by its most tokens, a stop string, a time limit) is
 * the beginning of such a text, no more. Immutable.
 *
 * <p>A constraint that makes no sense is refused where it is made, or before anything is computed
 * for its request.
 */
public sealed interface Constraint {
  /** The most bytes of UTF-8 that a schema, pattern or grammar may have. */
  int MAX_BYTES = 64 * 1024;

  /**
   * JSON that a schema describes, without white space between its parts, properties in the schema's
   * order. {@code docs/constraints.md} lists the keywords; one that cannot be enforced is refused.
   */
  record JsonSchema(String schema) implements Constraint {
    /**
     * Of a schema.
     *
     * @throws IllegalArgumentException if it is no schema, or one that cannot be enforced
     */
    public JsonSchema {
      requireSize("schema", schema);
      SchemaCheck.check(schema);
    }
  }

  /** Any JSON value, without white space between its parts. */
  record AnyJson() implements Constraint {}

  /**
   * Text that a regular expression matches as a whole; look-around and references are not known.
   */
  record Regex(String pattern) implements Constraint {
    public Regex {
      requireSize("pattern", pattern);
    }
  }

  /** Text of a grammar as Lark writes them, from its rule {@code start} on. */
  record Lark(String grammar) implements Constraint {
    public Lark {
      requireSize("grammar", grammar);
    }
  }

  /**
   * Free text until one of several tags begins, then JSON that its schema describes, and so on:
   * tool calls.
   *
   * @param tags one or more
   * @param required whether the answer is tags from its first token on, one at least; else there
   *     may be none
   * @param most how many tags there may be, 1 or more
   * @param after where tags are required: free text up to this comes first, the end of thoughts,
   *     say; empty for none
   */
  record StructuralTags(List<Tag> tags, boolean required, int most, String after)
      implements Constraint {
    /** Of as many as the model likes, with nothing before them. */
    public StructuralTags(List<Tag> tags, boolean required) {
      this(tags, required, Integer.MAX_VALUE, "");
    }

    public StructuralTags {
      tags = List.copyOf(tags);
      if (most < 1) {
        throw new IllegalArgumentException("There may be 1 tag or more; here it is " + most);
      }
      if (!after.isEmpty() && !required) {
        throw new IllegalArgumentException("Text comes first only where tags are required");
      }
      if (tags.isEmpty()) {
        throw new IllegalArgumentException("Structural tags need at least one tag");
      }
      Set<String> seen = new HashSet<>();
      long bytes = 0;
      for (Tag tag : tags) {
        if (!seen.add(tag.begin())) {
          throw new IllegalArgumentException("Two tags begin with \"" + tag.begin() + "\"");
        }
        bytes += bytes(tag.begin()) + bytes(tag.schema()) + bytes(tag.end());
      }
      requireSize("tags", bytes);
    }
  }

  /**
   * JSON between two texts.
   *
   * @param trigger what free text may not hold without the tag going on; the beginning of {@code
   *     begin}. Special tokens in all three stand for themselves
   * @param schema as {@link JsonSchema} has it
   */
  record Tag(String trigger, String begin, String schema, String end) {
    public Tag {
      Objects.requireNonNull(end, "end must not be null");
      if (trigger.isEmpty() || !begin.startsWith(trigger)) {
        throw new IllegalArgumentException(
            "A tag's trigger must be the beginning of what it begins with: \"%s\", \"%s\""
                .formatted(trigger, begin));
      }
      SchemaCheck.check(schema);
    }
  }

  private static void requireSize(String what, String text) {
    if (Objects.requireNonNull(text, () -> what + " must not be null").isBlank()) {
      throw new IllegalArgumentException("A " + what + " must not be blank");
    }
    requireSize(what, bytes(text));
  }

  private static void requireSize(String what, long bytes) {
    if (bytes > MAX_BYTES) {
      throw new IllegalArgumentException(
          "The %s is %d bytes long; there may be %d".formatted(what, bytes, MAX_BYTES));
    }
  }

  private static int bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8).length;
  }
}
