package dev.semantic.mlx.isolated;

import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import dev.semantic.memory.MemoryAllocation;
import dev.semantic.mlx.isolated.Request.Span;
import dev.semantic.model.KvLayout;
import dev.semantic.model.KvPrecision;
import dev.semantic.model.ModelException;
import dev.semantic.model.ModelSpec;
import dev.semantic.model.ModelTag;
import java.util.List;
import java.util.Objects;

/**
 * What the child answers. What has no value where one belongs is none of it, and ends the child.
 */
@JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "answer")
@JsonSubTypes({
  @JsonSubTypes.Type(Response.Done.class),
  @JsonSubTypes.Type(Response.Prepared.class),
  @JsonSubTypes.Type(Response.Progress.class),
  @JsonSubTypes.Type(Response.Count.class),
  @JsonSubTypes.Type(Response.Flag.class),
  @JsonSubTypes.Type(Response.Text.class),
  @JsonSubTypes.Type(Response.Tokens.class),
  @JsonSubTypes.Type(Response.Logits.class),
  @JsonSubTypes.Type(Response.State.class),
  @JsonSubTypes.Type(Response.Memory.class),
  @JsonSubTypes.Type(Response.Holdings.class),
  @JsonSubTypes.Type(Response.Failed.class)
})
sealed interface Response {
  record Done() implements Response {}

  /**
   * A model was found good. Its {@link Texts detokenizer} follows.
   *
   * @param maxCharsPerToken 0 where there is no bound
   */
  record Prepared(
      ModelSpec spec,
      List<Integer> endTokens,
      boolean beginsWithBos,
      boolean hasChatTemplate,
      String chatTemplate,
      int maxCharsPerToken,
      boolean dropsFirstSpace)
      implements Response {
    public Prepared {
      Objects.requireNonNull(spec, "spec");
      Objects.requireNonNull(chatTemplate, "chatTemplate");
      endTokens = List.copyOf(endTokens);
    }
  }

  /** Not the end: the call goes on. */
  record Progress(long done, long total) implements Response {}

  record Count(long value) implements Response {}

  record Flag(boolean value) implements Response {}

  record Text(String value) implements Response {
    public Text {
      Objects.requireNonNull(value, "value");
    }
  }

  record Tokens(int[] value) implements Response {
    public Tokens {
      Objects.requireNonNull(value, "value");
    }
  }

  /** Float32, little-endian, follow for each chunk: so many, or none. */
  record Logits(int[] counts) implements Response {
    public Logits {
      Objects.requireNonNull(counts, "counts");
    }
  }

  /** Keys and values follow, layer by layer. */
  record State(
      ModelTag tag,
      KvLayout layout,
      KvPrecision precision,
      int[] tokens,
      List<Span> layers,
      List<Integer> seams,
      boolean imported)
      implements Response {}

  record Memory(long active, long cached, long peak) implements Response {}

  record Holdings(List<MemoryAllocation> value) implements Response {
    public Holdings {
      value = List.copyOf(value);
    }
  }

  /**
   * What was thrown.
   *
   * @param modelKind what is wrong with the model, of a {@link Kind#MODEL}
   */
  record Failed(Kind kind, String message, ModelException.Kind modelKind) implements Response {
    public Failed {
      Objects.requireNonNull(kind, "kind");
      Objects.requireNonNull(modelKind, "modelKind");
    }

    static Failed of(Kind kind, String message) {
      return new Failed(kind, message, ModelException.Kind.FAILED);
    }
  }

  /** As what the parent throws it again. */
  enum Kind {
    MODEL,
    ARGUMENT,
    STATE,
    CANCELLED,
    /** An error, or an exception that no port speaks of. */
    ERROR
  }
}
