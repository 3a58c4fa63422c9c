package dev.semantic.fuzz;

import dev.semantic.fuzz.FuzzTarget.Catalog;
import dev.semantic.fuzz.FuzzTarget.Depth;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * Gives a target its inputs, in a process of its own because it has little memory: those that are
 * known and so many made at random, the same for the same seed. Jazzer calls {@link
 * #fuzzerTestOneInput} instead, with inputs that it makes of those that reached something new.
 */
public final class FuzzProgram {
  /** Of this thread's; a machine that is busy with something else does not count. */
  private static final long MOST_NANOS = 5_000_000_000L;

  private static final int LONGEST_RECIPE = 48;

  private FuzzProgram() {}

  /**
   * Prints a line.
   *
   * @param arguments the catalogue's class, the target's name, the directory of inputs, how many at
   *     random, the first seed
   */
  public static void main(String[] arguments) throws Exception {
    Catalog catalog = catalog(arguments[0]);
    String name = arguments[1];
    Map<Depth, Integer> depths = new EnumMap<>(Depth.class);
    List<byte[]> known = known(Path.of(arguments[2]));
    long begun = System.nanoTime();
    try (FuzzTarget target = make(catalog, name)) {
      int count = Integer.parseInt(arguments[3]) / target.costs();
      requireTaken(name, target);
      for (int i = -known.size(); i < count; i++) {
        byte[] recipe = i < 0 ? known.get(-i - 1) : random(Long.parseLong(arguments[4]) + i);
        depths.merge(read(target, recipe), 1, Integer::sum);
      }
      int taken = depths.getOrDefault(Depth.TAKEN, 0);
      System.out.printf(
          "%s\t%d known\t%d random\t%d inside\t%d taken\t%d ms%n",
          name,
          known.size(),
          count,
          depths.getOrDefault(Depth.INSIDE, 0) + taken,
          taken,
          (System.nanoTime() - begun) / 1_000_000);
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

  private static List<byte[]> known(Path directory) throws IOException {
    List<byte[]> known = new ArrayList<>();
    try (DirectoryStream<Path> files = Files.newDirectoryStream(directory)) {
      for (Path file : files) {
        known.add(Files.readAllBytes(file));
      }
    }
    return known;
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

  /** As Jazzer calls it first: to load and instrument classes is no input's time. */
  public static void fuzzerInitialize() throws Exception {
    Chosen.TARGET.read(new Recipe(new byte[0]));
  }

  /** As Jazzer calls it. */
  public static void fuzzerTestOneInput(byte[] input) throws Exception {
    Chosen.TARGET.read(new Recipe(input));
  }
}
