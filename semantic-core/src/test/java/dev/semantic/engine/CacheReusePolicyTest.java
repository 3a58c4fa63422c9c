package dev.semantic.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.semantic.engine.CacheReusePolicy.Lookup;
import java.util.OptionalInt;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Each line is a case: the facts, then the decision. Blocks are of 256 tokens. */
class CacheReusePolicyTest {
  @ParameterizedTest
  @CsvSource({
    "    , 1000, OWN_CACHE", // nothing in memory
    "    ,    1, OWN_CACHE",
    "   0, 1000, SHARED_PREFIX", // another conversation
    " 255, 1000, SHARED_PREFIX",
    " 255,  257, SHARED_PREFIX",
    " 255,  256, NONE", // its only block ends with the token that is computed anyway
    " 256, 1000, NONE",
    "   0,    5, NONE"
  })
  void parkedCachesAreLookedAtWhereMemoryHoldsLittle(Integer inMemory, int prompt, Lookup what) {
    OptionalInt fact = inMemory == null ? OptionalInt.empty() : OptionalInt.of(inMemory);
    assertEquals(what, CacheReusePolicy.lookup(fact, prompt));
  }

  @ParameterizedTest
  @CsvSource({
    "   0, 1000, 768", // three whole blocks
    " 255, 1000, 768",
    " 256, 1000,   0", // its own is enough
    "   0,  769, 768",
    "   0,  768, 512", // the last token is computed
    "   0,  257, 256",
    "   0,  256,   0",
    "   0,    1,   0"
  })
  void othersAreAskedForWholeBlocksWhereTheAgentsOwnCacheIsLittle(int own, int prompt, int tokens) {
    assertEquals(tokens, CacheReusePolicy.sharedPrefix(own, prompt));
  }

  @ParameterizedTest
  @CsvSource({"10, 11, true", "10, 10, false", "10, 9, false", "0, 0, false"})
  void whatWasParkedIsTakenOnlyWhereItIsMore(int inMemory, int parked, boolean taken) {
    assertEquals(taken, CacheReusePolicy.prefersParked(inMemory, parked));
  }

  @ParameterizedTest
  @CsvSource({"10, 20, 10", "20, 20, 19", "0, 20, 0", "1, 1, 0"})
  void theLastTokenOfAPromptIsAlwaysComputed(int common, int prompt, int kept) {
    assertEquals(kept, CacheReusePolicy.kept(common, prompt));
  }

  @ParameterizedTest
  @CsvSource({
    "600, 1000, 512",
    "255, 1000, 0",
    "1000, 1000, 768",
    "512, 513, 512",
    "512, 512, 256"
  })
  void wholeBlocksAreShared(int common, int prompt, int shareable) {
    assertEquals(shareable, CacheReusePolicy.shareable(common, prompt));
  }

  @ParameterizedTest
  @CsvSource({
    "512,   0, false, true",
    "512, 511, false, true",
    "512, 512, false, false",
    "  0,   0, false, false",
    "512,   0, true,  false" // an imported cache serves its own agent only
  })
  void aPromptGoesOnWithOthersBlocksWhereTheyAreMore(
      int shareable, int computed, boolean imported, boolean forks) {
    assertEquals(forks, CacheReusePolicy.forks(shareable, computed, imported));
  }

  @ParameterizedTest
  @CsvSource({
    "512,   0, 256, false, true",
    "512,   0, 512, false, false", // it is there: taken, not waited for
    "512, 512, 256, false, false",
    "512,   0, 256, true,  false"
  })
  void aPromptWaitsForWhatSomebodyBeforeItComputes(
      int shareable, int computed, int othersComputed, boolean imported, boolean waits) {
    assertEquals(waits, CacheReusePolicy.waits(shareable, computed, othersComputed, imported));
  }
}
