package dev.semantic.mlx.isolated;

import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import dev.semantic.generate.ChatMessage;
import dev.semantic.model.KvLayout;
import dev.semantic.model.KvPrecision;
import dev.semantic.model.ModelTag;
import dev.semantic.spi.LoadPriority;
import java.util.List;

/** What the parent asks of the child. Sequences and token streams go by number. */
@JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "ask")
@JsonSubTypes({
  @JsonSubTypes.Type(Ask.Prepare.class),
  @JsonSubTypes.Type(Ask.Load.class),
  @JsonSubTypes.Type(Ask.ReadAhead.class),
  @JsonSubTypes.Type(Ask.Cancel.class),
  @JsonSubTypes.Type(Ask.Open.class),
  @JsonSubTypes.Type(Ask.Restore.class),
  @JsonSubTypes.Type(Ask.Forward.class),
  @JsonSubTypes.Type(Ask.Trim.class),
  @JsonSubTypes.Type(Ask.Size.class),
  @JsonSubTypes.Type(Ask.Snapshot.class),
  @JsonSubTypes.Type(Ask.Close.class),
  @JsonSubTypes.Type(Ask.Encode.class),
  @JsonSubTypes.Type(Ask.EncodeChat.class),
  @JsonSubTypes.Type(Ask.RenderChat.class),
  @JsonSubTypes.Type(Ask.Decode.class),
  @JsonSubTypes.Type(Ask.OpenStream.class),
  @JsonSubTypes.Type(Ask.NextText.class),
  @JsonSubTypes.Type(Ask.RestOfText.class),
  @JsonSubTypes.Type(Ask.CloseStream.class),
  @JsonSubTypes.Type(Ask.ForgetTexts.class),
  @JsonSubTypes.Type(Ask.Memory.class),
  @JsonSubTypes.Type(Ask.ResetPeak.class),
  @JsonSubTypes.Type(Ask.ReleaseCached.class),
  @JsonSubTypes.Type(Ask.Holdings.class),
  @JsonSubTypes.Type(Ask.Ping.class)
})
sealed interface Ask {
  /** Finds and checks the one model of this process. */
  record Prepare(String model) implements Ask {}

  /** Loads it; progress comes back meanwhile. */
  record Load(LoadPriority priority) implements Ask {}

  record ReadAhead(LoadPriority priority) implements Ask {}

  /**
   * The load, read-ahead or rendering of that number is not wanted any more; has no answer. What
   * knows no cancelling goes on.
   */
  record Cancel(long call) implements Ask {}

  record Open() implements Ask {}

  /** Keys and values follow, layer by layer. */
  record Restore(
      ModelTag tag,
      KvLayout layout,
      KvPrecision precision,
      int[] tokens,
      List<Span> layers,
      List<Integer> seams)
      implements Ask {}

  /** The tokens that a layer holds. */
  record Span(int start, int length) {}

  record Forward(List<Part> batch) implements Ask {}

  /** New tokens of one sequence. */
  record Part(long sequence, int[] tokens, boolean logits) {}

  record Trim(long sequence, int length) implements Ask {}

  record Size(long sequence) implements Ask {}

  record Snapshot(long sequence) implements Ask {}

  record Close(long sequence) implements Ask {}

  record Encode(String text, boolean bos) implements Ask {}

  record EncodeChat(List<ChatMessage> messages) implements Ask {}

  record RenderChat(List<ChatMessage> messages) implements Ask {}

  record Decode(int[] tokens) implements Ask {}

  record OpenStream(boolean keepSpecial) implements Ask {}

  record NextText(long stream, int token) implements Ask {}

  record RestOfText(long stream) implements Ask {}

  record CloseStream(long stream) implements Ask {}

  record ForgetTexts() implements Ask {}

  record Memory() implements Ask {}

  record ResetPeak() implements Ask {}

  record ReleaseCached() implements Ask {}

  record Holdings() implements Ask {}

  record Ping() implements Ask {}
}
