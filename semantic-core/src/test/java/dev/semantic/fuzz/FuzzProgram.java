package dev.semantic.fuzz;

import dev.semantic.fuzz.FuzzTarget.Catalog;
import dev.semantic.fuzz.FuzzTarget.Depth;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Base64;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * Gives targets their inputs, in a process of its own because it has little memory: those that were
 * found once and so many made at random, the same for the same seed. Jazzer calls {@link
 * #fuzzerTestOneInput} instead, with inputs that it makes of those that reached something new.
 */
public final class FuzzProgram {
  /** Of this thread's; a machine that is busy with something else does not count. */
  private static final long MOST_NANOS = 5_000_000_000L;

  private static final int LONGEST_RECIPE = 48;

  private FuzzProgram() {}

  /**
   * Prints a line for each target.
   *
   * @param arguments the catalogue's class, the directory of inputs, how many at random, the first
   *     seed
   */
  public static void main(String[] arguments) throws Exception {
    Catalog catalog = catalog(arguments[0]);
    for (String name : catalog.names()) {
      List<byte[]> found = found(Path.of(arguments[1], name + ".txt"));
      Map<Depth, Integer> depths = new EnumMap<>(Depth.class);
      long begun = System.nanoTime();
      try (FuzzTarget target = make(catalog, name)) {
        int count = Integer.parseInt(arguments[2]) / target.costs();
        requireTaken(name, target);
        for (int i = -found.size(); i < count; i++) {
          byte[] recipe = i < 0 ? found.get(-i - 1) : random(Long.parseLong(arguments[3]) + i);
          depths.merge(read(target, recipe), 1, Integer::sum);
        }
        int taken = depths.getOrDefault(Depth.TAKEN, 0);
        System.out.printf(
            "%s\t%d found\t%d random\t%d inside\t%d taken\t%d ms%n",
            name,
            found.size(),
            count,
            depths.getOrDefault(Depth.INSIDE, 0) + taken,
            taken,
            (System.nanoTime() - begun) / 1_000_000);
      }
    }
    System.exit(0);
  }

  /**
   * Nothing is changed by an empty recipe, and that must go well, or what is changed says little.
   */
  private static void requireTaken(String name, FuzzTarget target) throws Exception {
    Depth depth = target.read(new Recipe(new byte[0]));
    if (depth != Depth.TAKEN) {
      System.out.println("FOUND\t\tthe good input of " + name + " is not taken: " + depth);
    }
  }

  private static Catalog catalog(String name) throws ReflectiveOperationException {
    return Fuzzing.made(Class.forName(name).asSubclass(Catalog.class));
  }

  private static FuzzTarget make(Catalog catalog, String name) throws Exception {
    return catalog.maker(name).make(Files.createTempDirectory("fuzz-" + name));
  }

  private static byte[] random(long seed) {
    Random random = new Random(seed);
    byte[] recipe = new byte[4 + random.nextInt(LONGEST_RECIPE)];
    random.nextBytes(recipe);
    return recipe;
  }

  private static List<byte[]> found(Path file) throws IOException {
    return Files.exists(file)
        ? Files.readAllLines(file).stream()
            .filter(line -> !line.isBlank() && !line.startsWith("#"))
            .map(line -> Base64.getDecoder().decode(line.strip()))
            .toList()
        : List.of();
  }

  private static Depth read(FuzzTarget target, byte[] recipe) {
    var threads = ManagementFactory.getThreadMXBean();
    long before = threads.getCurrentThreadCpuTime();
    try {
      Depth depth = target.read(new Recipe(recipe));
      long nanos = threads.getCurrentThreadCpuTime() - before;
      if (nanos > MOST_NANOS) {
        throw new IllegalStateException("It took " + nanos / 1_000_000 + " ms");
      }
      return depth;
    } catch (Throwable t) { // out of memory, too
      System.out.println("FOUND\t" + Base64.getEncoder().encodeToString(recipe) + "\t" + t);
      Arrays.stream(t.getStackTrace())
          .filter(frame -> frame.getClassName().startsWith("dev.semantic"))
          .limit(8)
          .forEach(frame -> System.out.println("\tat " + frame));
      return Depth.FRONT;
    }
  }

  /** What Jazzer has told this process to fuzz. */
  private static final class Chosen {
    static final FuzzTarget TARGET = target();

    private static FuzzTarget target() {
      try {
        return make(
            catalog(System.getProperty("semantic.fuzz.catalog")),
            System.getProperty("semantic.fuzz.target"));
      } catch (Exception e) {
        throw new IllegalStateException(e);
      }
    }
  }

  /** As Jazzer calls it. */
  public static void fuzzerTestOneInput(byte[] input) throws Exception {
    Chosen.TARGET.read(new Recipe(input));
  }
}
