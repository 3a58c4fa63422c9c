package dev.semantic.examples.cli;

import dev.semantic.examples.chat.Conversations;
import dev.semantic.examples.terminal.PlainText;
import dev.semantic.kv.AgentId;
import dev.semantic.model.ModelTag;
import dev.semantic.store.CacheEntry;
import dev.semantic.store.CacheKey;
import dev.semantic.store.CacheState;
import dev.semantic.store.ParkedCache;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Which caches a command is about; without any of its options, all. */
final class CacheSelection {
  @Option(names = "--agent", paramLabel = "ID", description = "Only this agent's.")
  private @Nullable String agent;

  @Option(
      names = "--model",
      paramLabel = "NAME",
      description =
          "Only this model's: a name as 'caches list' shows it, with or without the digits of its"
              + " fingerprint behind it.")
  private @Nullable String model;

  @Option(
      names = "--state",
      paramLabel = "STATE",
      description = "Only those that are live, archived or quarantined.")
  private @Nullable CacheState state;

  @Option(
      names = "--older-than",
      paramLabel = "TIME",
      converter = TimeSpan.class,
      description = "Only those that nobody used for so long, for example 12h, 30d or 8w.")
  private @Nullable Duration olderThan;

  boolean isEmpty() {
    return agent == null && model == null && state == null && olderThan == null;
  }

  boolean isAbout(CacheState asked) {
    return state == asked;
  }

  List<CacheEntry> of(List<CacheEntry> all) {
    Instant now = Instant.now();
    return all.stream().filter(entry -> matches(entry, now)).toList();
  }

  /**
   * What was said, as far as it is meant too: an agent's conversations are no model's, and neither
   * live nor archived.
   */
  List<Path> of(Conversations conversations, Optional<CacheKey> key) throws IOException {
    if (model != null || state != null) {
      return List.of();
    }
    List<Path> meant = new ArrayList<>();
    for (Path file :
        agent == null ? conversations.files() : conversations.files(new AgentId(agent), key)) {
      if (olderThan == null || isUnused(file, Instant.now().minus(olderThan))) {
        meant.add(file);
      }
    }
    return meant;
  }

  private static boolean isUnused(Path file, Instant since) throws IOException {
    return Files.getLastModifiedTime(file, LinkOption.NOFOLLOW_LINKS).toInstant().isBefore(since);
  }

  /**
   * The only one that is meant.
   *
   * @throws IllegalStateException if there is none, or several
   */
  CacheEntry one(List<CacheEntry> all) {
    List<CacheEntry> found = of(all);
    if (found.isEmpty()) {
      throw new IllegalStateException(
          "There is no such cache; 'semantic caches list' shows all" + unreadable(all));
    }
    if (found.size() > 1) {
      throw new IllegalStateException(
          "%d caches are meant, %s; choose one by --agent, --model and --state"
              .formatted(
                  found.size(),
                  found.stream()
                      .limit(5)
                      .map(CacheSelection::describe)
                      .collect(Collectors.joining(", "))));
    }
    return found.getFirst();
  }

  /** One of those may be meant. */
  private static String unreadable(List<CacheEntry> all) {
    List<String> problems = all.stream().flatMap(entry -> entry.problem().stream()).toList();
    return problems.isEmpty()
        ? ""
        : "; %d cannot be read: %s".formatted(problems.size(), problems.getFirst());
  }

  private static String describe(CacheEntry entry) {
    return entry
        .cache()
        .map(cache -> PlainText.name(cache.agent().name()) + "'s of " + cache.tag())
        .orElse(String.valueOf(entry.file().getFileName()));
  }

  private boolean matches(CacheEntry entry, Instant now) {
    ParkedCache cache = entry.cache().orElse(null);
    return (agent == null || (cache != null && cache.agent().name().equals(agent)))
        && (model == null || (cache != null && isCalled(cache.tag(), model)))
        && (state == null || entry.state() == state)
        && (olderThan == null || entry.used().isBefore(now.minus(olderThan)));
  }

  private static boolean isCalled(ModelTag tag, String name) {
    return tag.model().equals(name)
        || tag.toString().equals(name)
        || tag.fingerprint().equals(name);
  }
}
