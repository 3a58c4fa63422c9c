package dev.semantic.benchmarks;

import dev.semantic.kv.AgentId;
import dev.semantic.kv.KvEncoding;
import dev.semantic.kv.KvSnapshot;
import dev.semantic.mlx.MlxModelRuntime;
import dev.semantic.model.ModelId;
import dev.semantic.spi.LoadProgress;
import dev.semantic.spi.LoadedModel;
import dev.semantic.spi.LoadedModel.Chunk;
import dev.semantic.spi.PreparedModel;
import dev.semantic.spi.Sequence;
import dev.semantic.store.DiskCacheStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/**
 * What a cache loses that is written in fewer bits. For each of the two real models the first half
 * of a text of 2,048 tokens is computed, parked and restored in every encoding; the second half is
 * then read by all of them in step, beside one that was never parked. Prints a Markdown table:
 * bytes on disk, perplexity of the second half, how often the likeliest next token is the same one,
 * and how many of 256 greedy tokens behind the first half are.
 *
 * <p>{@code java -cp benchmarks/target/benchmarks.jar dev.semantic.benchmarks.PrecisionExperiment
 * FILE…}: the text is that of all files, one behind the other.
 */
public final class PrecisionExperiment {
  private static final List<String> MODELS = List.of("smollm2-135m-instruct", "gemma-3-270m");
  private static final int TOKENS = 2048;
  private static final int CHUNK = 256;
  private static final int GREEDY = 256;

  /** What became of one way to keep the first half. */
  private static final class Outcome {
    private final String name;
    private final long bytes;
    private final Sequence sequence;
    private double logLoss;
    private int sameTop;
    private final List<Integer> greedy = new ArrayList<>();

    Outcome(String name, long bytes, Sequence sequence) {
      this.name = name;
      this.bytes = bytes;
      this.sequence = sequence;
    }
  }

  private PrecisionExperiment() {}

  public static void main(String[] args) throws IOException {
    StringBuilder text = new StringBuilder();
    for (String file : args) {
      text.append(Files.readString(Path.of(file)));
    }
    System.out.println(
        "| model | kept | bytes on disk | of float16 | perplexity | same likeliest token | same"
            + " greedy tokens | first other at |");
    System.out.println("|---|---|--:|--:|--:|--:|--:|--:|");
    try (MlxModelRuntime runtime = MlxModelRuntime.open()) {
      for (String model : MODELS) {
        try (PreparedModel prepared = runtime.prepare(new ModelId(model));
            LoadedModel loaded = prepared.load(LoadProgress.NONE)) {
          int[] tokens = prepared.text().encode(text.toString(), prepared.text().beginsWithBos());
          if (tokens.length < TOKENS) {
            throw new IllegalArgumentException(
                "The text has %d tokens, %d are needed".formatted(tokens.length, TOKENS));
          }
          run(model, loaded, Arrays.copyOf(tokens, TOKENS));
        }
      }
    }
  }

  private static void run(String model, LoadedModel loaded, int[] tokens) throws IOException {
    int half = tokens.length / 2;
    KvSnapshot first = prefill(loaded, Arrays.copyOf(tokens, half - 1));
    int[] rest = Arrays.copyOfRange(tokens, half - 1, tokens.length);
    List<Outcome> outcomes = restored(loaded, first);
    read(loaded, outcomes, rest);
    outcomes.forEach(outcome -> outcome.sequence.close());

    List<Outcome> talking = restored(loaded, first);
    generate(loaded, talking, rest[0]);
    talking.forEach(outcome -> outcome.sequence.close());
    for (int i = 0; i < outcomes.size(); i++) {
      outcomes.get(i).greedy.addAll(talking.get(i).greedy);
    }
    print(model, outcomes, rest.length - 1, first);
  }

  private static KvSnapshot prefill(LoadedModel loaded, int[] tokens) {
    try (Sequence sequence = loaded.open()) {
      for (int start = 0; start < tokens.length; start += CHUNK) {
        int[] chunk = Arrays.copyOfRange(tokens, start, Math.min(start + CHUNK, tokens.length));
        loaded.forward(List.of(new Chunk(sequence, chunk, false)));
      }
      return sequence.snapshot();
    }
  }

  /** The same cache four times: as it was, and out of files. */
  private static List<Outcome> restored(LoadedModel loaded, KvSnapshot snapshot)
      throws IOException {
    AgentId agent = new AgentId("reader");
    List<Outcome> outcomes = new ArrayList<>();
    outcomes.add(new Outcome("in memory", 0, loaded.restore(snapshot)));
    for (KvEncoding encoding : KvEncoding.values()) {
      Path root = Files.createTempDirectory("precision");
      try (DiskCacheStore store = DiskCacheStore.builder(root).encoding(encoding).open()) {
        long bytes = store.park(agent, snapshot).size().bytes();
        KvSnapshot found = store.load(agent, snapshot.tag()).orElseThrow();
        outcomes.add(new Outcome(encoding.name(), bytes, loaded.restore(found)));
      }
      remove(root);
    }
    return outcomes;
  }

  private static void read(LoadedModel loaded, List<Outcome> outcomes, int[] rest) {
    for (int i = 0; i + 1 < rest.length; i++) {
      int[] token = {rest[i]};
      List<float[]> logits = step(loaded, outcomes, List.of(token, token, token, token));
      int top = likeliest(logits.getFirst());
      for (int which = 0; which < outcomes.size(); which++) {
        Outcome outcome = outcomes.get(which);
        outcome.logLoss += loss(logits.get(which), rest[i + 1]);
        outcome.sameTop += likeliest(logits.get(which)) == top ? 1 : 0;
      }
    }
  }

  private static void generate(LoadedModel loaded, List<Outcome> outcomes, int firstToken) {
    for (int i = 0; i < GREEDY; i++) {
      List<int[]> next = new ArrayList<>();
      for (Outcome outcome : outcomes) {
        next.add(new int[] {i == 0 ? firstToken : outcome.greedy.getLast()});
      }
      List<float[]> logits = step(loaded, outcomes, next);
      for (int which = 0; which < outcomes.size(); which++) {
        outcomes.get(which).greedy.add(likeliest(logits.get(which)));
      }
    }
  }

  private static List<float[]> step(LoadedModel loaded, List<Outcome> outcomes, List<int[]> next) {
    List<Chunk> batch = new ArrayList<>();
    for (int which = 0; which < outcomes.size(); which++) {
      batch.add(new Chunk(outcomes.get(which).sequence, next.get(which), true));
    }
    return loaded.forward(batch);
  }

  private static int likeliest(float[] logits) {
    int best = 0;
    for (int i = 1; i < logits.length; i++) {
      best = logits[i] > logits[best] ? i : best;
    }
    return best;
  }

  /** Minus the logarithm of the probability of {@code token}. */
  private static double loss(float[] logits, int token) {
    double most = logits[likeliest(logits)];
    double sum = 0;
    for (float logit : logits) {
      sum += Math.exp(logit - most);
    }
    return Math.log(sum) + most - logits[token];
  }

  private static void print(
      String model, List<Outcome> outcomes, int predicted, KvSnapshot snapshot) {
    double half = snapshot.bytes() * 2.0 / snapshot.precision().bytes();
    List<Integer> right = outcomes.getFirst().greedy;
    for (Outcome outcome : outcomes) {
      int same = 0;
      int first = -1;
      for (int i = 0; i < GREEDY; i++) {
        if (outcome.greedy.get(i).equals(right.get(i))) {
          same++;
        } else if (first < 0) {
          first = i;
        }
      }
      System.out.printf(
          "| %s | %s | %,d | %.4f | %.4f | %.2f %% | %d of %d | %s |%n",
          model,
          outcome.name,
          outcome.bytes,
          outcome.bytes / half,
          Math.exp(outcome.logLoss / predicted),
          100.0 * outcome.sameTop / predicted,
          same,
          GREEDY,
          first < 0 ? "–" : first);
    }
  }

  private static void remove(Path root) throws IOException {
    try (Stream<Path> files = Files.walk(root)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }
}
