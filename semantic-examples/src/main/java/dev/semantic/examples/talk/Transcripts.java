package dev.semantic.examples.talk;

import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.semantic.io.DurableFiles;
import dev.semantic.io.PrivateFiles;
import dev.semantic.kv.BlockPool;
import dev.semantic.model.ModelId;
import dev.semantic.model.ModelTag;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What each agent has said with each model, as tokens; in files, if it is to be known to the next
 * process, too.
 */
final class Transcripts {
  private static final Logger LOG = LoggerFactory.getLogger(Transcripts.class);
  private static final JsonMapper JSON = new JsonMapper();

  private final @Nullable Path directory;
  private final Map<ModelId, ModelTag> tags;
  private final int longest;
  private final Map<Key, int[]> said = new ConcurrentHashMap<>();

  private record Key(String agent, ModelId model) {}

  /**
   * Those of former processes are found again.
   *
   * @param directory null to forget them with this process
   * @param maxTokens of an answer: a conversation begins anew before it fills its first block, so
   *     that every agent holds the same memory for as long as a soak may take
   */
  Transcripts(@Nullable Path directory, Map<ModelId, ModelTag> tags, int maxTokens) {
    longest = Math.max(BlockPool.BLOCK_TOKENS - maxTokens, 2 * maxTokens);
    this.directory = directory;
    this.tags = tags;
    if (directory != null) {
      try {
        Files.createDirectories(directory, PrivateFiles.ofDirectory(directory));
        PrivateFiles.claim(directory);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  /** What the agent says next: all of the conversation so far, or its beginning. */
  int[] next(String agent, ModelId model, int[] beginning) {
    int[] before = said.computeIfAbsent(new Key(agent, model), this::read);
    return before.length == 0 || before.length > longest ? beginning : before;
  }

  void said(String agent, ModelId model, int[] tokens) {
    said.put(new Key(agent, model), tokens);
    if (directory != null) {
      write(file(directory, new Key(agent, model)), tokens);
    }
  }

  private Path file(Path where, Key key) {
    return where.resolve(key.agent() + "-" + tags.get(key.model()) + ".json");
  }

  private int[] read(Key key) {
    if (directory == null) {
      return new int[0];
    }
    try {
      Path file = file(directory, key);
      return Files.exists(file) ? JSON.readValue(file.toFile(), int[].class) : new int[0];
    } catch (IOException e) {
      LOG.warn("What {} said before cannot be read; it begins anew", key.agent(), e);
      return new int[0];
    }
  }

  private static void write(Path file, int[] tokens) {
    try {
      DurableFiles.replace(file, JSON.writeValueAsBytes(tokens));
    } catch (IOException e) {
      LOG.warn("What was said cannot be kept in {}", file, e);
    }
  }
}
