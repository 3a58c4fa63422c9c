package dev.semantic.store;

import dev.semantic.kv.AgentId;
import dev.semantic.log.Log;
import dev.semantic.model.ModelTag;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Removes all that one agent has below a cache root: live, archived, put aside. Its files are known
 * by their headers, damaged ones by their names; those encrypted with another key cannot be told
 * from anybody else's. Callers have the whole root for themselves.
 */
final class AgentRemoval {
  private static final Log LOG = Log.of(AgentRemoval.class);

  private final RootLayout layout;
  private final TagDirectories tags;
  private final AgentId agent;
  private final EntryReader reader;
  private final Set<ModelTag> known = new HashSet<>();

  AgentRemoval(RootLayout layout, TagDirectories tags, AgentId agent, @Nullable ModelTag present) {
    this.layout = layout;
    this.tags = tags;
    this.agent = agent;
    this.reader = new EntryReader(tags.form());
    if (present != null) {
      known.add(present);
    }
  }

  /**
   * Does it.
   *
   * @return how many caches are gone
   * @throws IOException if one of them could not be removed
   */
  int run() throws IOException {
    Map<Path, List<Path>> there = new LinkedHashMap<>();
    for (Path directory : layout.live()) {
      there.put(directory, RootLayout.agents(directory));
    }
    for (Path directory : layout.archived()) {
      there.put(directory, RootLayout.agents(directory));
    }
    Set<Path> its = new HashSet<>();
    for (List<Path> files : there.values()) {
      for (Path file : files) {
        if (isNamedLikeIt(RootLayout.name(file)) && saysItIs(file)) {
          its.add(file);
        }
      }
    }
    int removed = 0;
    Set<String> names = names();
    for (Map.Entry<Path, List<Path>> each : there.entrySet()) {
      for (Path file : each.getValue()) {
        if (its.contains(file) || names.contains(RootLayout.name(file))) {
          AgentFiles.remove(tags.at(each.getKey()), file);
          removed++;
        }
      }
    }
    for (Path file : layout.quarantined()) {
      if (saysItIs(file) || names.stream().anyMatch(RootLayout.name(file)::endsWith)) {
        removed += Files.deleteIfExists(file) ? 1 : 0;
      }
    }
    return removed;
  }

  /** All files of an encrypted store are: nothing of an agent's name shows. */
  private boolean isNamedLikeIt(String name) {
    return tags.form().key() != null || name.startsWith(CacheFileNames.readable(agent) + "-");
  }

  private boolean saysItIs(Path file) {
    try {
      CacheHeader header = reader.header(file);
      if (header.content() instanceof CacheHeader.Agent found && found.id().equals(agent)) {
        known.add(header.tag());
        return true;
      }
    } catch (IOException e) {
      LOG.debug("{} does not tell whose it is", file, e);
    }
    return false;
  }

  /** What its files are called under the tags that are known. */
  private Set<String> names() {
    Set<String> names = new HashSet<>();
    known.forEach(tag -> names.add(RootLayout.name(tags.form().file(layout.root(), agent, tag))));
    return names;
  }
}
