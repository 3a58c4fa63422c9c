package dev.semantic.examples.chat;

import dev.semantic.kv.AgentId;
import dev.semantic.store.AgentRecords;
import dev.semantic.store.CacheKey;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Where what was said lies, beside the caches: in files as {@link AgentRecords} makes them. */
public final class Conversations {
  /** Where what agents say to each other in a soak lies. */
  public static final String MADE_UP = "transcripts";

  /** Beyond it, earlier builds named a file by a hash of 32 bits, which agents may share. */
  private static final int LONGEST_NAME = 100;

  /** What a file is called today: another agent's name may look like that. */
  private static final Pattern TODAY = Pattern.compile("[a-z0-9-]*-[0-9a-f]{32}\\.json");

  private final Path directory;
  private final Path madeUp;

  /** Those beside the caches in this directory. */
  public Conversations(Path cacheDirectory) {
    this.directory = cacheDirectory.resolve("conversations");
    this.madeUp = cacheDirectory.resolve(MADE_UP);
  }

  /** Those that are encrypted with this key; without one, those that are not. */
  public AgentRecords records(Optional<CacheKey> key) {
    return key.map(its -> AgentRecords.in(directory, its))
        .orElseGet(() -> AgentRecords.in(directory));
  }

  /** The files of all, whoever's they are and however they are kept. */
  public List<Path> files() {
    return Stream.of(directory, madeUp)
        .flatMap(each -> AgentRecords.in(each).files().stream())
        .toList();
  }

  /** An agent's files that can be told to be its, with this key or without any. */
  public List<Path> files(AgentId agent, Optional<CacheKey> key) {
    List<Path> known = new ArrayList<>();
    known.add(records(Optional.empty()).file(agent));
    key.ifPresent(its -> known.add(records(Optional.of(its)).file(agent)));
    former(agent).ifPresent(known::add);
    return known.stream().distinct().filter(Conversations::isThere).toList();
  }

  private static String unused(AgentId agent, Path open) {
    return "What %s said before lies in %s, which is not encrypted and therefore not used; remove it, or go on without --key-file."
        .formatted(agent, open);
  }

  /**
   * The agent's file as earlier builds named it.
   *
   * @param notices says why it is not used, if it is not
   */
  Optional<Path> former(AgentId agent, Optional<CacheKey> key, List<String> notices) {
    Optional<Path> found = former(agent).filter(Conversations::isThere);
    if (key.isPresent() && found.isPresent()) {
      notices.add(unused(agent, found.get()));
      return Optional.empty();
    }
    if (found.isEmpty()) {
      Path shared = directory.resolve(ambiguous(agent));
      if (isThere(shared)) {
        notices.add(
            "%s may hold what %s said before, or another agent whose name is as long; it is not used. If it is this agent's, rename it to %s."
                .formatted(shared, agent, records(Optional.empty()).file(agent)));
      }
    }
    return found;
  }

  /** Says that there is something which cannot be seen in this way. */
  Optional<String> otherwiseKept(AgentId agent, Optional<CacheKey> key) {
    if (key.isPresent()) {
      Path open = records(Optional.empty()).file(agent);
      return isThere(open) ? Optional.of(unused(agent, open)) : Optional.empty();
    }
    long sealed =
        AgentRecords.in(directory).files().stream()
            .filter(file -> file.toString().endsWith(".sealed"))
            .count();
    return sealed == 0
        ? Optional.empty()
        : Optional.of(
            "%d conversations in %s are encrypted; --key-file names their key."
                .formatted(sealed, directory));
  }

  /** Empty where that name could be another's. */
  private Optional<Path> former(AgentId agent) {
    String name = encoded(agent);
    return name.length() > LONGEST_NAME
            || !StandardCharsets.UTF_8.newEncoder().canEncode(agent.name())
            || name.startsWith(".")
            || TODAY.matcher(name + ".json").matches()
        ? Optional.empty()
        : Optional.of(directory.resolve(name + ".json"));
  }

  private static String encoded(AgentId agent) {
    return URLEncoder.encode(agent.name(), StandardCharsets.UTF_8).replace("*", "%2A");
  }

  private static String ambiguous(AgentId agent) {
    return "agent-%x-%d.json".formatted(agent.name().hashCode(), agent.name().length());
  }

  private static boolean isThere(Path file) {
    return Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS);
  }
}
