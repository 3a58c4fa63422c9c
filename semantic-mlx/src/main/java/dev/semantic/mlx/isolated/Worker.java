package dev.semantic.mlx.isolated;

import dev.semantic.generate.Prompt;
import dev.semantic.kv.KvSnapshot;
import dev.semantic.memory.MemoryProbe;
import dev.semantic.model.ModelId;
import dev.semantic.spi.Detokenizer;
import dev.semantic.spi.LoadPriority;
import dev.semantic.spi.LoadProgress;
import dev.semantic.spi.LoadedModel;
import dev.semantic.spi.LoadedModel.Chunk;
import dev.semantic.spi.ModelRuntime;
import dev.semantic.spi.PreparedModel;
import dev.semantic.spi.Sequence;
import dev.semantic.spi.Tokenizer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The one model that a child process holds, and what is open of it. */
final class Worker {
  private final Supplier<ModelRuntime> opener;
  private final Map<Long, Sequence> sequences = new ConcurrentHashMap<>();
  private final Set<Long> cancelled = ConcurrentHashMap.newKeySet();
  private final AtomicLong numbers = new AtomicLong();
  private volatile @Nullable ModelRuntime runtime;
  private volatile @Nullable PreparedModel prepared;
  private volatile @Nullable LoadedModel loaded;

  Worker(Supplier<ModelRuntime> opener) {
    this.opener = opener;
  }

  /** An answer and the bulk data that follows it. */
  record Outcome(Response response, List<ByteBuffer> parts) {}

  /** Whether it must wait for its turn: one thread at a time may use a loaded model. */
  static boolean worksOnTheModel(Request request) {
    return switch (request) {
      case Request.Prepare a -> true;
      case Request.Load a -> true;
      case Request.Open a -> true;
      case Request.Restore a -> true;
      case Request.Forward a -> true;
      case Request.Trim a -> true;
      case Request.Size a -> true;
      case Request.Snapshot a -> true;
      case Request.Close a -> true;
      default -> false;
    };
  }

  /** Whether it ends when its thread is interrupted: a template may take its time. */
  static boolean renders(Request request) {
    return request instanceof Request.Encode
        || request instanceof Request.EncodeChat
        || request instanceof Request.RenderChat;
  }

  void cancel(long call) {
    cancelled.add(call);
  }

  Outcome handle(long id, Request request, List<ByteBuffer> parts, LoadProgress progress) {
    return switch (request) {
      case Request.Prepare(String model) -> prepare(model);
      case Request.Load(LoadPriority priority) -> of(load(new Progress(id, priority, progress)));
      case Request.ReadAhead(LoadPriority priority) -> {
        prepared().readAhead(new Progress(id, priority, progress));
        yield done();
      }
      case Request.Cancel cancel -> done();
      case Request.Open open -> of(keep(loaded().open()));
      case Request.Restore restore -> of(keep(loaded().restore(Snapshots.of(restore, parts))));
      case Request.Forward(List<Request.Part> batch) -> forward(batch);
      case Request.Trim(long sequence, int length) ->
          of(new Response.Flag(sequence(sequence).trim(length)));
      case Request.Size(long sequence) -> of(new Response.Count(sequence(sequence).bytes()));
      case Request.Snapshot(long sequence) -> {
        KvSnapshot snapshot = sequence(sequence).snapshot();
        yield new Outcome(Snapshots.answer(snapshot), Snapshots.parts(snapshot));
      }
      case Request.Close(long sequence) -> {
        Sequence leaving = sequence(sequence);
        sequences.remove(sequence);
        leaving.close();
        yield done();
      }
      default -> text(request);
    };
  }

  private Outcome text(Request request) {
    return switch (request) {
      case Request.Encode(String text, boolean bos) ->
          of(new Response.Tokens(prepared().text().encode(text, bos)));
      case Request.EncodeChat(var chat, var today) ->
          of(new Response.Tokens(prepared().text().encodeChat(chat(chat, today))));
      case Request.RenderChat(var chat, var today) ->
          of(new Response.Text(prepared().text().renderChat(chat(chat, today))));
      case Request.Decode(int[] tokens) -> of(new Response.Text(prepared().text().decode(tokens)));
      case Request.ForgetTexts forget -> {
        prepared().text().forgetTexts();
        yield done();
      }
      default -> memory(request);
    };
  }

  private static Prompt.Chat chat(Map<String, @Nullable Object> fields, String today) {
    Prompt.Chat chat = Prompt.Chat.of(fields);
    return today.isEmpty() ? chat : chat.withToday(LocalDate.parse(today));
  }

  private Outcome memory(Request request) {
    ModelRuntime here = runtime;
    if (here == null) {
      return switch (request) {
        case Request.Memory memory -> of(new Response.Memory(0, 0, 0));
        case Request.Holdings holdings -> of(new Response.Holdings(List.of()));
        default -> done();
      };
    }
    MemoryProbe probe = here.memory();
    switch (request) {
      case Request.Memory memory -> {
        return of(new Response.Memory(probe.activeBytes(), probe.cachedBytes(), probe.peakBytes()));
      }
      case Request.Holdings holdings -> {
        return of(new Response.Holdings(probe.holdings()));
      }
      case Request.ResetPeak reset -> probe.resetPeak();
      case Request.ReleaseCached release -> probe.releaseCached();
      case Request.Ping ping -> {}
      default -> throw new IllegalArgumentException("Nobody answers " + request);
    }
    return done();
  }

  private static Outcome of(Response response) {
    return new Outcome(response, List.of());
  }

  private static Outcome done() {
    return of(new Response.Done());
  }

  private Outcome prepare(String model) {
    ModelRuntime here = opener.get();
    runtime = here;
    PreparedModel found = here.prepare(new ModelId(model));
    prepared = found;
    Tokenizer text = found.text();
    Detokenizer detokenizer = text.detokenizer();
    Response response =
        new Response.Prepared(
            found.spec(),
            List.copyOf(text.endTokens()),
            text.beginsWithBos(),
            text.hasChatTemplate(),
            text.chatTemplate(),
            text.maxCharsPerToken().orElse(0),
            detokenizer.dropsFirstSpace());
    return new Outcome(response, Texts.parts(detokenizer));
  }

  private Response load(LoadProgress progress) {
    if (loaded != null) {
      throw new IllegalStateException("This process holds its model already");
    }
    LoadedModel model = prepared().load(progress);
    loaded = model;
    return new Response.Count(model.bytes());
  }

  private Response keep(Sequence sequence) {
    long number = numbers.incrementAndGet();
    sequences.put(number, sequence);
    return new Response.Count(number);
  }

  private Outcome forward(List<Request.Part> batch) {
    List<Chunk> chunks = new ArrayList<>(batch.size());
    for (Request.Part part : batch) {
      chunks.add(new Chunk(sequence(part.sequence()), part.tokens(), part.logits()));
    }
    List<float[]> rows = loaded().forward(chunks);
    int[] counts = rows.stream().mapToInt(row -> row.length).toArray();
    return new Outcome(new Response.Logits(counts), rows.stream().map(Worker::bytes).toList());
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
