package dev.semantic.engine;

import dev.semantic.cache.BlockPool;
import dev.semantic.engine.HotTier.Hot;
import dev.semantic.spi.Sequence;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lets a prompt begin where another one did: agents with the same system prompt compute and hold it
 * once. In whole blocks, so that the pool can count them. On the scheduler's thread.
 */
final class Prefixes {
  private static final Logger LOG = LoggerFactory.getLogger(Prefixes.class);

  private final HotTier hot;

  Prefixes(HotTier hot) {
    this.hot = hot;
  }

  /** A sequence that holds the first {@code tokens} of a prompt. */
  private record Donor(Hot hot, int tokens) {}

  /**
   * Gives everybody who has not computed anything yet the longest beginning that somebody holds.
   *
   * @return those who had better wait: somebody before them is just computing what they need
   */
  List<Work> share(Collection<Work> active, Comparator<Work> order) {
    List<Work> untouched = active.stream().filter(Work::isUntouched).toList();
    untouched.forEach(work -> begin(work, active));
    return untouched.stream()
        .filter(work -> active.stream().anyMatch(other -> computesFor(other, work, order)))
        .toList();
  }

  private void begin(Work work, Collection<Work> active) {
    int[] prompt = work.said();
    Stream<Hot> working =
        active.stream().filter(other -> other != work).map(Work::hot); // not itself
    Stream.concat(working, hot.all().values().stream())
        .map(other -> new Donor(other, wholeBlocks(other.sequence(), prompt)))
        .filter(donor -> donor.tokens() > work.computed())
        .sorted(Comparator.comparingInt(Donor::tokens).reversed())
        .map(this::fork)
        .flatMap(Optional::stream)
        .findFirst()
        .ifPresent(
            fork -> {
              LOG.debug("A prompt begins with {} tokens of another", fork.sequence().length());
              Stepper.close(work.hot());
              work.beginWith(fork);
            });
  }

  private Optional<Hot> fork(Donor donor) {
    try {
      return donor.hot().sequence().fork(donor.tokens()).map(fork -> shared(donor, fork));
    } catch (RuntimeException e) {
      LOG.warn("A prompt cannot begin as another one did; it is computed", e);
      return Optional.empty();
    }
  }

  private static Hot shared(Donor donor, Sequence fork) {
    int blocks = donor.tokens() / BlockPool.BLOCK_TOKENS;
    return Hot.fresh(fork, donor.hot().share(blocks));
  }

  /** Whether {@code other}, who comes first, will soon hold more of the prompt than anybody yet. */
  private static boolean computesFor(Work other, Work work, Comparator<Work> order) {
    if (other == work || !other.inPrefill() || order.compare(other, work) >= 0) {
      return false;
    }
    int common = wholeBlocks(common(other.said(), work.said()), work.said().length);
    return common > work.computed() && common > other.computed();
  }

  private static int wholeBlocks(Sequence sequence, int[] prompt) {
    return wholeBlocks(sequence.common(prompt), prompt.length);
  }

  /**
   * Of so many tokens in common, those that fill blocks; the last of a prompt is always computed.
   */
  private static int wholeBlocks(int common, int prompt) {
    int usable = Math.min(common, prompt - 1);
    return usable - usable % BlockPool.BLOCK_TOKENS;
  }

  private static int common(int[] one, int[] other) {
    int mismatch = Arrays.mismatch(one, other);
    return mismatch < 0 ? one.length : mismatch;
  }
}
