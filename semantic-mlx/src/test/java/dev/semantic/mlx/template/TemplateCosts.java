package dev.semantic.mlx.template;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * The table of {@code docs/chat-templates.md}: of everything in a template its worst case, and how
 * what it is charged grows with it.
 */
final class TemplateCosts {
  private static final int TIMES = 5;
  private static final int LINEAR = 20_000;
  private static final int SQUARE = 100;

  /** What is measured of less is noise. */
  private static final double SHORTEST_NANOS = 500_000;

  private TemplateCosts() {}

  /**
   * A row.
   *
   * @param source a template in which {@code N} stands for a number
   * @param work how it grows: {@code 1}, {@code n} or {@code n²}
   */
  record Row(String kind, List<String> names, String source, String work, String memory) {
    private ChatTemplate with(int n) {
      return ChatTemplate.parse(source.replaceAll("\\bN\\b", Integer.toString(n)));
    }

    private int n() {
      return work.equals("n²") ? SQUARE : LINEAR;
    }

    /** What is wrong with it; empty if the table says the truth. */
    List<String> problems() {
      int n = n();
      Measure one = measure(with(n));
      Measure two = measure(with(2 * n));
      Measure four = measure(with(4 * n));
      List<String> wrong = new ArrayList<>();
      compare("work", work, one.work(), two.work(), four.work(), wrong);
      compare("memory", memory, one.bytes(), two.bytes(), four.bytes(), wrong);
      double time = four.nanos() / Math.max(one.nanos(), SHORTEST_NANOS);
      double charge = (double) four.work() / one.work();
      if (time > 2.5 * charge) {
        wrong.add("%s: takes %.1f times as long, is charged %.1f".formatted(names, time, charge));
      }
      return wrong;
    }

    private void compare(
        String what, String growth, long one, long two, long four, List<String> wrong) {
      double grows = (double) (four - two) / Math.max(1, two - one);
      boolean right =
          switch (growth) {
            case "1" -> four == one;
            case "n" -> grows > 1.6 && grows < 2.6;
            default -> grows > 3.2 && grows < 4.8;
          };
      if (!right) {
        wrong.add("%s: %s %s: %d, %d, %d".formatted(names, what, growth, one, two, four));
      }
    }
  }

  private record Measure(long work, long bytes, double nanos) {}

  /** Time of this thread's, best of several. */
  private static Measure measure(ChatTemplate template) {
    var threads = ManagementFactory.getThreadMXBean();
    long best = Long.MAX_VALUE;
    Budget budget = new Budget(0);
    for (int i = 0; i < TIMES; i++) {
      budget = new Budget(0, Duration.ofMinutes(5));
      long before = threads.getCurrentThreadCpuTime();
      template.render(Map.of(), Clock.systemUTC(), budget);
      best = Math.min(best, threads.getCurrentThreadCpuTime() - before);
    }
    return new Measure(budget.work(), budget.bytes(), best);
  }

  static List<Row> read(Path table) throws IOException {
    List<Row> rows = new ArrayList<>();
    for (String line : Files.readAllLines(table)) {
      String[] cells = line.split("(?<!\\\\)\\|", -1);
      if (cells.length == 7 && cells[3].contains("`")) {
        List<String> names =
            Arrays.stream(cells[2].replace("\\|", "|").split(","))
                .map(String::strip)
                .filter(name -> !name.isEmpty())
                .toList();
        String source = cells[3].strip().replace("\\|", "|");
        rows.add(
            new Row(
                cells[1].strip(),
                names,
                source.substring(1, source.length() - 1),
                cells[4].strip(),
                cells[5].strip()));
      }
    }
    return rows;
  }
}
