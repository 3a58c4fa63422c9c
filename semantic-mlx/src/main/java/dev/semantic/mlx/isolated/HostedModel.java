package dev.semantic.mlx.isolated;

import dev.semantic.kv.KvSnapshot;
import dev.semantic.memory.MemoryProbe;
import dev.semantic.model.ModelId;
import dev.semantic.spi.LoadPriority;
import dev.semantic.spi.LoadProgress;
import dev.semantic.spi.LoadedModel;
import dev.semantic.spi.LoadedModel.Chunk;
import dev.semantic.spi.ModelRuntime;
import dev.semantic.spi.PreparedModel;
import dev.semantic.spi.Sequence;
import dev.semantic.spi.TextCodec;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The one model that a child process holds, and what is open of it. */
final class HostedModel {
  private final Supplier<ModelRuntime> opener;
  private final Map<Long, Sequence> sequences = new ConcurrentHashMap<>();
  private final Map<Long, TextCodec.TokenStream> streams = new ConcurrentHashMap<>();
  private final Set<Long> cancelled = ConcurrentHashMap.newKeySet();
  private final AtomicLong numbers = new AtomicLong();
  private volatile @Nullable ModelRuntime runtime;
  private volatile @Nullable PreparedModel prepared;
  private volatile @Nullable LoadedModel loaded;

  HostedModel(Supplier<ModelRuntime> opener) {
    this.opener = opener;
  }

  /** An answer and the bulk data that follows it. */
  record Outcome(Answer answer, List<ByteBuffer> parts) {}

  /** Whether it must wait for its turn: one thread at a time may use a loaded model. */
  static boolean worksOnTheModel(Ask ask) {
    return switch (ask) {
      case Ask.Prepare a -> true;
      case Ask.Load a -> true;
      case Ask.Open a -> true;
      case Ask.Restore a -> true;
      case Ask.Forward a -> true;
      case Ask.Trim a -> true;
      case Ask.Size a -> true;
      case Ask.Snapshot a -> true;
      case Ask.Close a -> true;
      default -> false;
    };
  }

  /** Whether it ends when its thread is interrupted: a template may take its time. */
  static boolean renders(Ask ask) {
    return ask instanceof Ask.Encode
        || ask instanceof Ask.EncodeChat
        || ask instanceof Ask.RenderChat;
  }

  void cancel(long call) {
    cancelled.add(call);
  }

  Outcome handle(long id, Ask ask, List<ByteBuffer> parts, LoadProgress progress) {
    return switch (ask) {
      case Ask.Prepare(String model) -> of(prepare(model));
      case Ask.Load(LoadPriority priority) -> of(load(new Progress(id, priority, progress)));
      case Ask.ReadAhead(LoadPriority priority) -> {
        prepared().readAhead(new Progress(id, priority, progress));
        yield done();
      }
      case Ask.Cancel cancel -> done();
      case Ask.Open open -> of(keep(loaded().open()));
      case Ask.Restore restore -> of(keep(loaded().restore(Snapshots.of(restore, parts))));
      case Ask.Forward(List<Ask.Part> batch) -> forward(batch);
      case Ask.Trim(long sequence, int length) ->
          of(new Answer.Flag(sequence(sequence).trim(length)));
      case Ask.Size(long sequence) -> of(new Answer.Count(sequence(sequence).bytes()));
      case Ask.Snapshot(long sequence) -> {
        KvSnapshot snapshot = sequence(sequence).snapshot();
        yield new Outcome(Snapshots.answer(snapshot), Snapshots.parts(snapshot));
      }
      case Ask.Close(long sequence) -> {
        Sequence leaving = sequence(sequence);
        sequences.remove(sequence);
        leaving.close();
        yield done();
      }
      default -> text(ask);
    };
  }

  private Outcome text(Ask ask) {
    return switch (ask) {
      case Ask.Encode(String text, boolean bos) ->
          of(new Answer.Tokens(prepared().text().encode(text, bos)));
      case Ask.EncodeChat(var messages) ->
          of(new Answer.Tokens(prepared().text().encodeChat(messages)));
      case Ask.RenderChat(var messages) ->
          of(new Answer.Text(prepared().text().renderChat(messages)));
      case Ask.Decode(int[] tokens) -> of(new Answer.Text(prepared().text().decode(tokens)));
      case Ask.OpenStream(boolean keepSpecial) -> {
        long number = numbers.incrementAndGet();
        streams.put(number, prepared().text().stream(keepSpecial));
        yield of(new Answer.Count(number));
      }
      case Ask.NextText(long stream, int token) -> of(new Answer.Text(stream(stream).next(token)));
      case Ask.RestOfText(long stream) -> of(new Answer.Text(stream(stream).rest()));
      case Ask.CloseStream(long stream) -> {
        streams.remove(stream);
        yield done();
      }
      case Ask.ForgetTexts forget -> {
        prepared().text().forgetTexts();
        yield done();
      }
      default -> memory(ask);
    };
  }

  private Outcome memory(Ask ask) {
    ModelRuntime here = runtime;
    if (here == null) {
      return switch (ask) {
        case Ask.Memory memory -> of(new Answer.Memory(0, 0, 0));
        case Ask.Holdings holdings -> of(new Answer.Holdings(List.of()));
        default -> done();
      };
    }
    MemoryProbe probe = here.memory();
    switch (ask) {
      case Ask.Memory memory -> {
        return of(new Answer.Memory(probe.activeBytes(), probe.cachedBytes(), probe.peakBytes()));
      }
      case Ask.Holdings holdings -> {
        return of(new Answer.Holdings(probe.holdings()));
      }
      case Ask.ResetPeak reset -> probe.resetPeak();
      case Ask.ReleaseCached release -> probe.releaseCached();
      case Ask.Ping ping -> {}
      default -> throw new IllegalArgumentException("Nobody answers " + ask);
    }
    return done();
  }

  private static Outcome of(Answer answer) {
    return new Outcome(answer, List.of());
  }

  private static Outcome done() {
    return of(new Answer.Done());
  }

  private Answer prepare(String model) {
    ModelRuntime here = opener.get();
    runtime = here;
    PreparedModel found = here.prepare(new ModelId(model));
    prepared = found;
    TextCodec text = found.text();
    return new Answer.Prepared(
        found.spec(),
        List.copyOf(text.endTokens()),
        text.beginsWithBos(),
        text.hasChatTemplate(),
        text.maxCharsPerToken().orElse(0));
  }

  private Answer load(LoadProgress progress) {
    if (loaded != null) {
      throw new IllegalStateException("This process holds its model already");
    }
    LoadedModel model = prepared().load(progress);
    loaded = model;
    return new Answer.Count(model.bytes());
  }

  private Answer keep(Sequence sequence) {
    long number = numbers.incrementAndGet();
    sequences.put(number, sequence);
    return new Answer.Count(number);
  }

  private Outcome forward(List<Ask.Part> batch) {
    List<Chunk> chunks = new ArrayList<>(batch.size());
    for (Ask.Part part : batch) {
      chunks.add(new Chunk(sequence(part.sequence()), part.tokens(), part.logits()));
    }
    List<float[]> rows = loaded().forward(chunks);
    int[] counts = rows.stream().mapToInt(row -> row.length).toArray();
    return new Outcome(new Answer.Logits(counts), rows.stream().map(HostedModel::bytes).toList());
  }

  private static ByteBuffer bytes(float[] row) {
    ByteBuffer buffer =
        ByteBuffer.allocate(Math.multiplyExact(row.length, Float.BYTES))
            .order(ByteOrder.LITTLE_ENDIAN);
    buffer.asFloatBuffer().put(row);
    return buffer;
  }

  private Sequence sequence(long number) {
    Sequence sequence = sequences.get(number);
    if (sequence == null) {
      throw new IllegalStateException("That sequence was closed");
    }
    return sequence;
  }

  private TextCodec.TokenStream stream(long number) {
    TextCodec.TokenStream stream = streams.get(number);
    if (stream == null) {
      throw new IllegalStateException("That token stream was closed");
    }
    return stream;
  }

  private PreparedModel prepared() {
    PreparedModel here = prepared;
    if (here == null) {
      throw new IllegalStateException("No model was prepared in this process");
    }
    return here;
  }

  private LoadedModel loaded() {
    LoadedModel here = loaded;
    if (here == null) {
      throw new IllegalStateException("No model was loaded in this process");
    }
    return here;
  }

  /** Goes to the parent; what the parent wants comes from there. */
  private final class Progress implements LoadProgress {
    private final long call;
    private final LoadPriority priority;
    private final LoadProgress parent;

    private Progress(long call, LoadPriority priority, LoadProgress parent) {
      this.call = call;
      this.priority = priority;
      this.parent = parent;
    }

    @Override
    public void update(long doneBytes, long totalBytes) {
      parent.update(doneBytes, totalBytes);
    }

    @Override
    public boolean isCancelled() {
      return cancelled.contains(call);
    }

    @Override
    public LoadPriority priority() {
      return priority;
    }
  }
}
