package dev.semantic.mlx.isolated;

import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import dev.semantic.memory.Holding;
import dev.semantic.mlx.isolated.Ask.Span;
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
  @JsonSubTypes.Type(Answer.Done.class),
  @JsonSubTypes.Type(Answer.Prepared.class),
  @JsonSubTypes.Type(Answer.Progress.class),
  @JsonSubTypes.Type(Answer.Count.class),
  @JsonSubTypes.Type(Answer.Flag.class),
  @JsonSubTypes.Type(Answer.Text.class),
  @JsonSubTypes.Type(Answer.Tokens.class),
  @JsonSubTypes.Type(Answer.Logits.class),
  @JsonSubTypes.Type(Answer.State.class),
  @JsonSubTypes.Type(Answer.Memory.class),
  @JsonSubTypes.Type(Answer.Holdings.class),
  @JsonSubTypes.Type(Answer.Failed.class)
})
sealed interface Answer {
  record Done() implements Answer {}

  /**
   * A model was found good.
   *
   * @param maxCharsPerToken 0 where there is no bound
   */
  record Prepared(
      ModelSpec spec,
      List<Integer> endTokens,
      boolean beginsWithBos,
      boolean hasChatTemplate,
      int maxCharsPerToken)
      implements Answer {
    public Prepared {
      Objects.requireNonNull(spec, "spec");
      endTokens = List.copyOf(endTokens);
    }
  }

  /** Not the end: the call goes on. */
  record Progress(long done, long total) implements Answer {}

  record Count(long value) implements Answer {}

  record Flag(boolean value) implements Answer {}

  record Text(String value) implements Answer {
    public Text {
      Objects.requireNonNull(value, "value");
    }
  }

  record Tokens(int[] value) implements Answer {
    public Tokens {
      Objects.requireNonNull(value, "value");
    }
  }

  /** Float32, little-endian, follow for each chunk: so many, or none. */
  record Logits(int[] counts) implements Answer {
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
      implements Answer {}

  record Memory(long active, long cached, long peak) implements Answer {}

  record Holdings(List<Holding> value) implements Answer {
    public Holdings {
      value = List.copyOf(value);
    }
  }

  /**
   * What was thrown.
   *
   * @param modelKind what is wrong with the model, of a {@link Kind#MODEL}
   */
  record Failed(Kind kind, String message, ModelException.Kind modelKind) implements Answer {
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
