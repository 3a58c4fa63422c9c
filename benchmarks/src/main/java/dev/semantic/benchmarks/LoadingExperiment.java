package dev.semantic.benchmarks;

import dev.semantic.mlx.MlxModelRuntime;
import dev.semantic.model.ModelId;
import dev.semantic.spi.LoadProgress;
import dev.semantic.spi.LoadedModel;
import dev.semantic.spi.LoadedModel.Chunk;
import dev.semantic.spi.PreparedModel;
import dev.semantic.spi.Sequence;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.DoubleStream;
import java.util.stream.Stream;

/**
 * EXP-017: from nothing in memory to a first token, ours and mlx-lm's in turns. First within
 * processes that are there already, then from the start of a process. Linux.
 *
 * <p>{@code java -cp benchmarks/target/benchmarks.jar dev.semantic.benchmarks.LoadingExperiment
 * PYTHON PEER.py ROUNDS LAUNCHER DIRECTORY…}, where LAUNCHER is {@code semantic} or {@code
 * semantic.jar}, and PEER.py is src/main/python/mlx_lm_loading_peer.py, which writes the
 * directories, too.
 */
public final class LoadingExperiment {
  private static final String PROMPT = "Once upon a time";
  private static final Pattern FIELD = Pattern.compile("\"(\\w+)\": ([0-9.]+)");

  /**
   * One load.
   *
   * @param rss by how much the resident set had grown at its peak, in bytes
   * @param mlx the peak of MLX's own count, in bytes
   * @param parts seconds until it was prepared, loaded, its text known; empty for the peer
   */
  private record Load(double seconds, int token, long rss, long mlx, List<Double> parts) {}

  private LoadingExperiment() {}

  public static void main(String[] args) throws IOException, InterruptedException {
    List<String> python = List.of(args[0], args[1]);
    int rounds = Integer.parseInt(args[2]);
    List<String> directories = Arrays.asList(args).subList(4, args.length);
    inProcesses(python, rounds, directories);
    fromTheStart(python, args[3], rounds, directories);
  }

  private static void inProcesses(List<String> python, int rounds, List<String> directories)
      throws IOException {
    Process peer =
        new ProcessBuilder(with(python, "serve"))
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    try (MlxModelRuntime runtime = MlxModelRuntime.open();
        BufferedReader answers = peer.inputReader()) {
      for (String directory : directories) {
        List<Load> ours = new ArrayList<>();
        List<Load> theirs = new ArrayList<>();
        for (int i = 0; i < rounds; i++) {
          peer.outputWriter().write(directory + "\n");
          peer.outputWriter().flush();
          theirs.add(read(answers.readLine()));
          ours.add(load(runtime, new ModelId(directory)));
        }
        print(directory, "mlx-lm", theirs);
        print(directory, "semantic", ours);
      }
    } finally {
      peer.destroy();
    }
  }

  private static Load read(String line) {
    Matcher fields = FIELD.matcher(line);
    double[] values = fields.results().mapToDouble(f -> Double.parseDouble(f.group(2))).toArray();
    return new Load(values[0], (int) values[1], (long) values[2], (long) values[3], List.of());
  }

  private static Load load(MlxModelRuntime runtime, ModelId id) throws IOException {
    Files.writeString(Path.of("/proc/self/clear_refs"), "5"); // the peak begins anew
    runtime.memory().resetPeak();
    long before = status("VmRSS:");
    long start = System.nanoTime();
    int token;
    double seconds;
    List<Double> parts = new ArrayList<>();
    try (PreparedModel prepared = runtime.prepare(id)) {
      parts.add(since(start));
      try (LoadedModel model = prepared.load(LoadProgress.NONE);
          Sequence sequence = model.open()) {
        parts.add(since(start));
        int[] prompt = prepared.text().encode(PROMPT, false);
        parts.add(since(start));
        token = argmax(model.forward(List.of(new Chunk(sequence, prompt, true))).getFirst());
        seconds = since(start);
      }
    }
    long rss = status("VmHWM:") - before;
    Load load = new Load(seconds, token, rss, runtime.mlx().memory().peakBytes(), parts);
    runtime.memory().releaseCached();
    return load;
  }

  private static double since(long start) {
    return (System.nanoTime() - start) / 1e9;
  }

  private static int argmax(float[] logits) {
    int best = 0;
    for (int i = 1; i < logits.length; i++) {
      if (logits[i] > logits[best]) {
        best = i;
      }
    }
    return best;
  }

  private static long status(String field) throws IOException {
    try (Stream<String> lines = Files.lines(Path.of("/proc/self/status"))) {
      return lines
              .filter(line -> line.startsWith(field))
              .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
              .findFirst()
              .orElse(0)
          * 1024;
    }
  }

  private static void print(String directory, String who, List<Load> loads) {
    double[] seconds = loads.stream().mapToDouble(Load::seconds).toArray();
    System.out.printf(
        Locale.ROOT,
        "%s, %s: %s, then %s; token %d; first %,d, last %,d MiB of RSS more at the peak, MLX %,d"
            + " MiB%n",
        directory,
        who,
        String.format(Locale.ROOT, "%.3f s first", seconds[0]),
        summary(Arrays.stream(seconds).skip(1)),
        loads.getLast().token(),
        loads.getFirst().rss() >> 20,
        loads.getLast().rss() >> 20,
        loads.getLast().mlx() >> 20);
    if (!loads.getLast().parts().isEmpty()) {
      System.out.printf(
          "  prepared after %s, loaded after %s, text after %s%n",
          part(loads, 0), part(loads, 1), part(loads, 2));
    }
  }

  private static String part(List<Load> loads, int index) {
    return summary(loads.stream().skip(1).mapToDouble(load -> load.parts().get(index)));
  }

  private static String summary(DoubleStream seconds) {
    double[] sorted = seconds.sorted().toArray();
    return String.format(
        Locale.ROOT,
        "%.3f s (%.3f to %.3f)",
        sorted[sorted.length / 2],
        sorted[0],
        sorted[sorted.length - 1]);
  }

  private static void fromTheStart(
      List<String> python, String launcher, int rounds, List<String> directories)
      throws IOException, InterruptedException {
    List<String> semantic =
        launcher.endsWith(".jar") ? List.of("java", "-jar", launcher) : List.of(launcher);
    for (String directory : directories) {
      double[] theirs = new double[rounds];
      double[] ours = new double[rounds];
      for (int i = 0; i < rounds; i++) {
        theirs[i] = firstByte(with(python, "once", directory, PROMPT));
        ours[i] = firstByte(generate(semantic, directory));
      }
      System.out.printf("%s, start of mlx-lm to first token: %s%n", directory, all(theirs));
      System.out.printf("%s, start of semantic to first token: %s%n", directory, all(ours));
    }
    double[] gguf = new double[rounds];
    for (int i = 0; i < rounds; i++) {
      gguf[i] = firstByte(generate(semantic, "smollm2-135m-instruct"));
    }
    System.out.printf("smollm2-135m-instruct, start of semantic to first token: %s%n", all(gguf));
  }

  private static List<String> generate(List<String> semantic, String model) {
    return with(semantic, "generate", model, "--prompt", PROMPT, "--max-tokens", "1");
  }

  private static String all(double[] seconds) {
    return summary(Arrays.stream(seconds));
  }

  private static List<String> with(List<String> command, String... more) {
    return Stream.concat(command.stream(), Arrays.stream(more)).toList();
  }

  /** Seconds until a process writes something. */
  private static double firstByte(List<String> command) throws IOException, InterruptedException {
    long start = System.nanoTime();
    Process process =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start();
    try (InputStream out = process.getInputStream()) {
      int first = out.read();
      double seconds = since(start);
      out.transferTo(java.io.OutputStream.nullOutputStream());
      if (process.waitFor() != 0 || first < 0) {
        throw new IOException(command + " gave no token");
      }
      return seconds;
    }
  }
}
