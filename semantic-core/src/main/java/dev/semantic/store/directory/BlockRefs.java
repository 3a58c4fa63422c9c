package dev.semantic.store.directory;

import dev.semantic.kv.BlockName;
import java.nio.file.Path;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Which blocks are there in one model's directory, and which agents' files refer to them. A block
 * that nobody refers to is waste; one that somebody is about to refer to, and has pinned, is not.
 * Guarded by itself, while waste is removed too, so that nobody pins what is just going.
 */
final class BlockRefs {
  private final Map<Path, List<BlockName>> references = new HashMap<>();
  private final Map<BlockName, Integer> users = new HashMap<>();
  private final Map<String, Set<BlockName>> present = new HashMap<>();
  private final Consumer<BlockName> remover;

  /** A file is there whose references cannot be read: what looks like waste may be its. */
  private boolean everythingStays;

  /**
   * @param remover removes a block's file
   */
  BlockRefs(Consumer<BlockName> remover) {
    this.remover = remover;
  }

  synchronized void keepEverything() {
    everythingStays = true;
  }

  /** The block's file is there. */
  synchronized void add(BlockName block) {
    present.computeIfAbsent(block.chain(), chain -> new HashSet<>()).add(block);
  }

  /** The block's file is not there any more, or not what it should be. */
  synchronized void lost(BlockName block) {
    Set<BlockName> alike = present.get(block.chain());
    if (alike != null && alike.remove(block) && alike.isEmpty()) {
      present.remove(block.chain());
    }
  }

  synchronized boolean has(BlockName block) {
    return present.getOrDefault(block.chain(), Set.of()).contains(block);
  }

  /** A block of just these tokens and those before, whoever computed it. */
  synchronized Optional<BlockName> of(String chain) {
    return present.getOrDefault(chain, Set.of()).stream().findAny();
  }

  /** What {@code file} refers to, each once. */
  synchronized List<BlockName> usedBy(Path file) {
    return orNone(references.get(file)).stream().distinct().toList();
  }

  /** Keeps blocks, there or not yet, until {@link #unpin} or {@link #refer}. */
  synchronized void pin(List<BlockName> blocks) {
    blocks.forEach(block -> users.merge(block, 1, Integer::sum));
  }

  synchronized void unpin(List<BlockName> blocks) {
    blocks.forEach(this::letGo);
  }

  /** {@code file} now refers to {@code pinned}, whose pins pass to it, and to nothing else. */
  synchronized void refer(Path file, List<BlockName> pinned) {
    List<BlockName> before = references.put(file, pinned);
    unpin(orNone(before));
  }

  /** {@code file} may refer to {@code pinned}, whose pins pass to it, or to what it did before. */
  synchronized void referAlso(Path file, List<BlockName> pinned) {
    references.merge(
        file, pinned, (some, more) -> Stream.concat(some.stream(), more.stream()).toList());
  }

  /** {@code file} is gone. */
  synchronized void forget(Path file) {
    unpin(orNone(references.remove(file)));
  }

  private static List<BlockName> orNone(@Nullable List<BlockName> blocks) {
    return blocks == null ? List.of() : blocks;
  }

  /** Removes the blocks that nobody uses, such as a writer leaves that is killed half-way. */
  synchronized void sweep() {
    List<BlockName> waste =
        present.values().stream()
            .flatMap(Collection::stream)
            .filter(block -> !users.containsKey(block))
            .toList();
    waste.forEach(this::remove);
  }

  private void letGo(BlockName block) {
    if (users.merge(block, -1, Integer::sum) == 0) {
      users.remove(block);
      if (has(block)) {
        remove(block);
      }
    }
  }

  private void remove(BlockName block) {
    if (!everythingStays) {
      lost(block);
      remover.accept(block);
    }
  }
}
