package dev.semantic.mlx.tokenizer;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.semantic.fuzz.Recipe;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What others write becomes no special token, and all else is as it would be without the guard:
 * with each kind of tokenizer and each combination of an added token's flags.
 */
class GuardFuzzTest {
  private static final int ROUNDS = Integer.getInteger("semantic.fuzz", 0) > 0 ? 10 : 1;
  private static final long SEED = Long.getLong("semantic.fuzz.seed", 1);

  static List<GuardFuzz.Kind> kinds() {
    return GuardFuzz.KINDS;
  }

  @ParameterizedTest
  @MethodSource("kinds")
  void whatOthersWriteIsTextAndAllElseIsAsWithoutTheGuard(
      GuardFuzz.Kind kind, @TempDir Path directory) throws Exception {
    List<String> wrong = new ArrayList<>();
    int checked = 0;
    for (int round = 0; round < ROUNDS; round++) {
      for (int flags = 0; flags < GuardFuzz.FLAGS; flags++) {
        byte[] choices = new byte[600];
        long seed = ((SEED + round) * 100 + GuardFuzz.KINDS.indexOf(kind)) * 100 + flags;
        new Random(seed).nextBytes(choices);
        try {
          GuardFuzz.check(directory, kind, flags, new Recipe(choices));
        } catch (AssertionError e) {
          wrong.add(e.getMessage());
        }
        checked++;
      }
    }
    assertEquals(List.of(), wrong.stream().limit(5).toList(), wrong.size() + " of " + checked);
  }
}
