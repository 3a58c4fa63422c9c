package dev.semantic.store.format;

import dev.semantic.kv.AgentId;
import dev.semantic.kv.CacheHash;
import dev.semantic.model.ModelTag;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.Locale;
import java.util.regex.Pattern;

/** What the files and directories below a cache root are called. */
public final class CacheFileNames {
  public static final String LOCK = ".lock";
  public static final String QUARANTINE = ".quarantine";
  public static final String ARCHIVE = ".archive";
  public static final String BLOCKS = "blocks";
  static final String CACHE_SUFFIX = ".kv";

  private static final int READABLE_LENGTH = 40;
  public static final int HASH_BYTES = 16;
  private static final Pattern CACHE =
      Pattern.compile("(?:[a-z0-9-]{0,%d}-)?[0-9a-f]{32}\\.kv".formatted(READABLE_LENGTH));
  private static final Pattern UNREADABLE = Pattern.compile("[^a-z0-9]+");

  private CacheFileNames() {}

  /** The directory of a model's caches. */
  public static Path directory(Path root, ModelTag tag) {
    return root.resolve(tag.toString());
  }

  /**
   * The file of an agent's cache: what is readable of its name, for people, and 128 bits of a
   * SHA-256 over agent and tag, by which no two caches share a file, not even where a file system
   * takes upper and lower case for the same.
   */
  public static Path file(Path root, AgentId agent, ModelTag tag) {
    String hash = hash(CacheHash.SHA_256, agent, tag);
    return directory(root, tag).resolve(readable(agent) + "-" + hash + CACHE_SUFFIX);
  }

  /** What is readable of an agent's name. */
  public static String readable(AgentId agent) {
    String readable = UNREADABLE.matcher(agent.name().toLowerCase(Locale.ROOT)).replaceAll("-");
    return readable.substring(0, Math.min(READABLE_LENGTH, readable.length()));
  }

  /** The same of an encrypted cache: nothing of the agent's name shows. */
  static Path hashed(Path root, AgentId agent, ModelTag tag, CacheHash names) {
    return directory(root, tag).resolve(hash(names, agent, tag) + CACHE_SUFFIX);
  }

  /**
   * Whether a file is called as the store calls an agent's. What lies beside it under other names,
   * such as the {@code ._*} that macOS puts there, is somebody else's.
   */
  public static boolean isCache(Path file) {
    return CACHE.matcher(name(file)).matches();
  }

  private static String hash(CacheHash names, AgentId agent, ModelTag tag) {
    byte[] units = units(tag.fingerprint() + ":" + tag.model() + ":" + agent.name());
    return HexFormat.of().formatHex(names.of(units), 0, HASH_BYTES);
  }

  /** UTF-16 and not UTF-8, in which all lone surrogates are the same question mark. */
  public static byte[] units(String text) {
    byte[] units = new byte[2 * text.length()];
    for (int i = 0; i < text.length(); i++) {
      units[2 * i] = (byte) (text.charAt(i) >> 8);
      units[2 * i + 1] = (byte) text.charAt(i);
    }
    return units;
  }

  /** What a file is called in its directory. */
  public static String name(Path file) {
    return String.valueOf(file.getFileName());
  }
}
