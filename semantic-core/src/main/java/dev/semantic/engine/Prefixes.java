package dev.semantic.engine;

import dev.semantic.engine.HotTier.Hot;
import dev.semantic.kv.BlockPool;
import dev.semantic.log.Log;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * Lets a prompt begin where another one did: agents with the same system prompt compute and hold it
 * once. In whole blocks, so that the pool can count them. On the scheduler's thread.
 */
final class Prefixes {
  private static final Log LOG = Log.of(Prefixes.class);

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
    List<Donor> donors = new ArrayList<>();
    for (Work other : active) {
      if (other != work) {
        consider(other.hot(), Math.min(wholeBlocks(other.computed()), common(other, work)), work)
            .ifPresent(donors::add);
      }
    }
    int most = shareable(work);
    if (most > work.computed() && work.looksAt(hot.comings())) {
      hot.forEach(
          idle -> consider(idle, idleCommon(idle, work, most), work).ifPresent(donors::add));
    }
    donors.stream()
        .sorted(Comparator.comparingInt(Donor::tokens).reversed())
        .map(donor -> fork(donor, work))
        .flatMap(Optional::stream)
        .findFirst()
        .ifPresent(
            fork -> {
              LOG.debug("A prompt begins with {} tokens of another", fork.sequence().length());
              Stepper.close(work.hot());
              work.beginWith(fork);
            });
  }

  private static Optional<Donor> consider(Hot other, int tokens, Work work) {
    return tokens > work.computed() && !other.isImported() && !work.wasRefusedBy(other)
        ? Optional.of(new Donor(other, tokens))
        : Optional.empty();
  }

  /** Whoever can't give it once is not asked again: every question is a call to the model. */
  private static Optional<Hot> fork(Donor donor, Work work) {
    try {
      Optional<Hot> fork =
          donor.hot().sequence().common(work.said()) < donor.tokens()
              ? Optional.empty() // two hashes were alike by chance
              : donor.hot().fork(donor.tokens());
      if (fork.isEmpty()) {
        work.refusedBy(donor.hot());
      }
      return fork;
    } catch (Throwable t) { // costs a prefill, no more
      LOG.warn("A prompt cannot begin as another one did; it is computed", t);
      work.refusedBy(donor.hot());
      return Optional.empty();
    }
  }

  /** Whether {@code other}, who comes first, will soon hold more of the prompt than anybody yet. */
  private static boolean computesFor(Work other, Work work, Comparator<Work> order) {
    if (other == work
        || !other.inPrefill()
        || order.compare(other, work) >= 0
        || other.hot().isImported()
        || work.wasRefusedBy(other.hot())) {
      return false;
    }
    int common = common(other, work);
    return common > work.computed() && common > other.computed();
  }

  private static int common(Work other, Work work) {
    return Math.min(other.blocks().common(work.blocks()), shareable(work));
  }

  private static int idleCommon(Hot idle, Work work, int most) {
    try {
      return Math.min(idle.blocks().common(work.blocks()), most);
    } catch (Throwable t) {
      LOG.warn("An idle sequence cannot tell what it holds", t);
      return 0;
    }
  }

  /** What fills blocks of a prompt; its last token is always computed. */
  private static int shareable(Work work) {
    return wholeBlocks(work.promptLength() - 1);
  }

  private static int wholeBlocks(int tokens) {
    return tokens - tokens % BlockPool.BLOCK_TOKENS;
  }
}
