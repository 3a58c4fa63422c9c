package dev.semantic.mlx.isolated;

import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import dev.semantic.generate.Prompt;
import dev.semantic.model.KvLayout;
import dev.semantic.model.KvPrecision;
import dev.semantic.model.ModelTag;
import dev.semantic.spi.LoadPriority;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What the parent asks of the child. Sequences go by number. */
@JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "ask")
@JsonSubTypes({
  @JsonSubTypes.Type(Request.Prepare.class),
  @JsonSubTypes.Type(Request.Load.class),
  @JsonSubTypes.Type(Request.ReadAhead.class),
  @JsonSubTypes.Type(Request.Cancel.class),
  @JsonSubTypes.Type(Request.Open.class),
  @JsonSubTypes.Type(Request.Restore.class),
  @JsonSubTypes.Type(Request.Forward.class),
  @JsonSubTypes.Type(Request.Trim.class),
  @JsonSubTypes.Type(Request.Size.class),
  @JsonSubTypes.Type(Request.Snapshot.class),
  @JsonSubTypes.Type(Request.Close.class),
  @JsonSubTypes.Type(Request.Encode.class),
  @JsonSubTypes.Type(Request.EncodeChat.class),
  @JsonSubTypes.Type(Request.RenderChat.class),
  @JsonSubTypes.Type(Request.Decode.class),
  @JsonSubTypes.Type(Request.ForgetTexts.class),
  @JsonSubTypes.Type(Request.Memory.class),
  @JsonSubTypes.Type(Request.ResetPeak.class),
  @JsonSubTypes.Type(Request.ReleaseCached.class),
  @JsonSubTypes.Type(Request.Holdings.class),
  @JsonSubTypes.Type(Request.Ping.class)
})
sealed interface Request {
  /** Finds and checks the one model of this process. */
  record Prepare(String model) implements Request {}

  /** Loads it; progress comes back meanwhile. */
  record Load(LoadPriority priority) implements Request {}

  record ReadAhead(LoadPriority priority) implements Request {}

  /**
   * The load, read-ahead or rendering of that number is not wanted any more; has no answer. What
   * knows no cancelling goes on.
   */
  record Cancel(long call) implements Request {}

  record Open() implements Request {}

  /** Keys and values follow, layer by layer. */
  record Restore(
      ModelTag tag,
      KvLayout layout,
      KvPrecision precision,
      int[] tokens,
      List<Span> layers,
      List<Integer> seams)
      implements Request {}

  /** The tokens that a layer holds. */
  record Span(int start, int length) {}

  record Forward(List<Part> batch) implements Request {}

  /** New tokens of one sequence. */
  record Part(long sequence, int[] tokens, boolean logits) {}

  record Trim(long sequence, int length) implements Request {}

  record Size(long sequence) implements Request {}

  record Snapshot(long sequence) implements Request {}

  record Close(long sequence) implements Request {}

  record Encode(String text, boolean bos) implements Request {}

  /**
   * Tokens of a conversation.
   *
   * @param chat as {@link Prompt.Chat#fields} has it
   * @param today a date; empty for today
   */
  record EncodeChat(Map<String, @Nullable Object> chat, String today) implements Request {}

  /** The text of the same. */
  record RenderChat(Map<String, @Nullable Object> chat, String today) implements Request {}

  /** Of a model without tokens that stand for text, for its refusal. */
  record Decode(int[] tokens) implements Request {}

  record ForgetTexts() implements Request {}

  record Memory() implements Request {}

  record ResetPeak() implements Request {}

  record ReleaseCached() implements Request {}

  record Holdings() implements Request {}

  record Ping() implements Request {}
}
