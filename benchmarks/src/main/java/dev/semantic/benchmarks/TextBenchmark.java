package dev.semantic.benchmarks;

import dev.semantic.generate.ChatMessage;
import dev.semantic.mlx.MlxModelRuntime;
import dev.semantic.model.ModelId;
import dev.semantic.spi.PreparedModel;
import dev.semantic.spi.Tokenizer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** What text costs: 16,000 new characters, and the next turn of a chat that has had forty. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(value = 1, jvmArgsAppend = "--enable-native-access=ALL-UNNAMED")
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@SuppressWarnings("NullAway.Init") // JMH calls the set-up method before anything else
public class TextBenchmark {
  private static final String SENTENCE = "The quick brown fox %d jumps over the lazy dog. ";
  private static final String MIXED = "日本語 %d naïve 🙂<end_of_turn>\n\n  ";

  private MlxModelRuntime runtime;
  private PreparedModel gemma;
  private PreparedModel smollm;
  private List<ChatMessage> chat;
  private int turn;

  @Setup
  public void open() {
    runtime = MlxModelRuntime.open();
    gemma = runtime.prepare(new ModelId("gemma-3-270m"));
    smollm = runtime.prepare(new ModelId("smollm2-135m-instruct"));
    chat = new ArrayList<>();
    for (int i = 0; i < 40; i++) {
      chat.add(ChatMessage.user(many(SENTENCE, 9, i)));
      chat.add(ChatMessage.assistant(many(SENTENCE, 9, i)));
    }
  }

  @TearDown
  public void close() {
    gemma.close();
    smollm.close();
    runtime.close();
  }

  private static String many(String text, int count, int seed) {
    StringBuilder all = new StringBuilder();
    for (int i = 0; i < count; i++) {
      all.append(String.format(text, seed * 1000 + i));
    }
    return all.toString();
  }

  @Benchmark
  public int[] english() {
    return gemma.text().encode(many(SENTENCE, 320, turn++), true);
  }

  @Benchmark
  public int[] mixedWithSpecialTokens() {
    return gemma.text().encode(many(MIXED, 480, turn++), true);
  }

  @Benchmark
  public int[] nextTurn() {
    Tokenizer text = smollm.text();
    List<ChatMessage> asked = new ArrayList<>(chat);
    asked.add(ChatMessage.user("And then, for the time number " + turn++ + "?"));
    return text.encodeChat(asked);
  }
}
