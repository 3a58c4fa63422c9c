package dev.semantic.build;

import dev.semantic.mlx.models.ModelCatalog;
import dev.semantic.mlx.models.ModelState;
import dev.semantic.pip.PipModels;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.concurrent.TimeUnit;

/**
 * Puts the program {@code semantic} beside its jar, and what the JVM can prepare of it: an AOT
 * cache (JEP 483, 514, 515) of one run that loads a model and answers. Run from source by Maven.
 * Without the model, or where the run fails, there is no cache, and the program starts without it.
 */
final class Launcher {
  private static final String CACHE = "semantic.aot";

  private Launcher() {}

  public static void main(String[] args) throws IOException, InterruptedException {
    Path target = Path.of(args[0]);
    Path program = target.resolve("semantic");
    Files.copy(Path.of(args[1]), program, StandardCopyOption.REPLACE_EXISTING);
    if (!program.toFile().setExecutable(true, false)) {
      throw new IOException(program + " cannot be made executable");
    }
    Files.deleteIfExists(target.resolve(CACHE)); // of the jar before this one
    ModelCatalog catalog = PipModels.catalog();
    if (System.getProperty("semantic.models", "").equals("skip")
        || catalog.state(PipModels.SMOLLM2) != ModelState.READY) {
      System.out.println("[launcher] no model to learn the start from: no " + CACHE);
      return;
    }
    System.out.println(
        learn(target)
            ? "[launcher] " + target.resolve(CACHE) + " is ready"
            : "[launcher] the JVM made no " + CACHE + "; the program starts without");
  }

  private static boolean learn(Path target) throws IOException, InterruptedException {
    Path part = target.resolve(CACHE + ".part");
    Process run =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:AOTCacheOutput=" + part,
                "-jar",
                target.resolve("semantic.jar").toString(),
                "generate",
                PipModels.SMOLLM2.name(),
                "--prompt",
                "Once upon a time",
                "--max-tokens",
                "2")
            .redirectInput(new File("/dev/null"))
            .redirectErrorStream(true)
            .redirectOutput(target.resolve(CACHE + ".log").toFile())
            .start();
    boolean ended = run.waitFor(5, TimeUnit.MINUTES);
    if (!ended) {
      run.destroyForcibly();
    }
    if (!ended || run.exitValue() != 0 || !Files.isRegularFile(part)) {
      Files.deleteIfExists(part);
      return false;
    }
    Files.move(part, target.resolve(CACHE), StandardCopyOption.ATOMIC_MOVE);
    return true;
  }
}
