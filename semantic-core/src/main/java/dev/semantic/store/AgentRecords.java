package dev.semantic.store;

import dev.semantic.io.DurableFiles;
import dev.semantic.io.PrivateFiles;
import dev.semantic.io.Reason;
import dev.semantic.kv.AgentId;
import dev.semantic.kv.CacheHash;
import dev.semantic.store.directory.RootLayout;
import dev.semantic.store.format.CacheFileException;
import dev.semantic.store.format.CacheFileNames;
import dev.semantic.store.format.FileCipher;
import dev.semantic.store.format.FileKeys;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What a host keeps of its agents beside their caches, such as what was said so far: a JSON text
 * for each agent, protected as caches are. Each agent has a file of its own, however its name is
 * written; it is its owner's only, whatever the umask, it is replaced whole or not at all, and with
 * a key it is encrypted and its name tells nothing. {@code docs/cache-format.md} describes it.
 *
 * <p>Safe for use by several threads that do not write the same agent's at a time. All methods
 * throw {@link CacheException} where the directory, or a file in it, cannot be used.
 */
public final class AgentRecords {
  private static final String OPEN_SUFFIX = ".json";
  private static final String SEALED_SUFFIX = ".sealed";
  private static final byte[] MAGIC = {
    (byte) 0x8A, 'S', 'R', 'C', 1, '\n', 0x1A, '\n' // the fifth byte is the version
  };
  private static final int SALT_BYTES = 32;
  private static final int HEAD_BYTES = MAGIC.length + SALT_BYTES;

  /** Of a file. More than anybody says; what is longer was not written here. */
  private static final int MOST_BYTES = 1 << 28;

  private static final SecureRandom RANDOM = new SecureRandom();

  private final Path directory;
  private final @Nullable FileKeys key;
  private final int mostBytes;

  AgentRecords(Path directory, @Nullable FileKeys key, int mostBytes) {
    this.directory = directory.toAbsolutePath();
    this.key = key;
    this.mostBytes = mostBytes;
  }

  /**
   * Records that are not encrypted. Nothing is looked at yet.
   *
   * @param directory made when the first one is written
   */
  public static AgentRecords in(Path directory) {
    return new AgentRecords(directory, null, MOST_BYTES);
  }

  /** The same, encrypted with the caches' key. Only those that are encrypted with it are seen. */
  public static AgentRecords in(Path directory, CacheKey key) {
    return new AgentRecords(directory, key.files(), MOST_BYTES);
  }

  /** Where an agent's record lies, or would. */
  public Path file(AgentId agent) {
    byte[] name = CacheFileNames.units(agent.name());
    CacheHash hash = key == null ? CacheHash.SHA_256 : key.names();
    String digits = HexFormat.of().formatHex(hash.of(name), 0, CacheFileNames.HASH_BYTES);
    return directory.resolve(
        key == null
            ? CacheFileNames.readable(agent) + "-" + digits + OPEN_SUFFIX
            : digits + SEALED_SUFFIX);
  }

  /** The agent's record; empty if there is none. */
  public Optional<String> read(AgentId agent) {
    Path file = file(agent);
    try {
      if (!Files.isDirectory(directory)) {
        return Optional.empty();
      }
      PrivateFiles.claim(directory);
      byte[] bytes = bytes(file);
      byte[] plain = key == null ? bytes : unsealed(bytes, agent, key);
      return Optional.of(new String(plain, StandardCharsets.UTF_8));
    } catch (NoSuchFileException e) {
      return Optional.empty();
    } catch (IOException e) {
      throw refused("Cannot read", agent, file, e);
    }
  }

  private byte[] bytes(Path file) throws IOException {
    try (FileChannel channel = PrivateFiles.open(file, Set.of(StandardOpenOption.READ))) {
      byte[] bytes = Channels.newInputStream(channel).readNBytes(mostBytes + 1);
      if (bytes.length > mostBytes) {
        throw CacheFileException.damaged("it has more than %d bytes".formatted(mostBytes));
      }
      return bytes;
    }
  }

  /**
   * Keeps the agent's record, in place of what was kept before; durable when this returns.
   *
   * @throws CacheException if it takes more than 256 MiB; what was kept before is kept
   */
  public void write(AgentId agent, String json) {
    Path file = file(agent);
    byte[] plain = json.getBytes(StandardCharsets.UTF_8);
    long size = plain.length + (key == null ? 0L : HEAD_BYTES + FileCipher.TAG_BYTES);
    if (size > mostBytes) {
      throw new CacheException(
          "What %s leaves in %s would take %d bytes, and could not be read again: at most %d are kept. Leave out the oldest of it"
              .formatted(agent, file, size, mostBytes));
    }
    try {
      DurableFiles.directories(directory);
      PrivateFiles.claim(directory);
      DurableFiles.replace(file, key == null ? plain : sealed(plain, agent, key));
    } catch (IOException e) {
      throw refused("Cannot keep", agent, file, e);
    }
  }

  /** Forgets the agent's record, for good when this returns; false if there was none. */
  public boolean remove(AgentId agent) {
    Path file = file(agent);
    try {
      boolean removed = Files.deleteIfExists(file);
      if (removed) {
        DurableFiles.force(directory);
      }
      return removed;
    } catch (IOException e) {
      throw refused("Cannot remove", agent, file, e);
    }
  }

  /** By any name, as earlier builds gave others; hidden files are somebody else's. */
  private static boolean isRecord(Path file) {
    String name = CacheFileNames.name(file);
    return !name.startsWith(".") && (name.endsWith(OPEN_SUFFIX) || name.endsWith(SEALED_SUFFIX));
  }

  /** The files of all records that are here, encrypted with whatever key or not at all. */
  public List<Path> files() {
    try {
      return RootLayout.list(directory, AgentRecords::isRecord);
    } catch (IOException e) {
      throw new CacheException(
          "Cannot list %s: %s. May this user read it?".formatted(directory, Reason.of(e)), e);
    }
  }

  private static byte[] sealed(byte[] plain, AgentId agent, FileKeys key) {
    byte[] salt = new byte[SALT_BYTES];
    RANDOM.nextBytes(salt);
    ByteBuffer all = ByteBuffer.allocate(HEAD_BYTES + plain.length + FileCipher.TAG_BYTES);
    all.put(MAGIC).put(salt);
    key.cipher(salt, open(agent)).seal(0, ByteBuffer.wrap(plain), all);
    return all.array();
  }

  private static byte[] unsealed(byte[] bytes, AgentId agent, FileKeys key)
      throws CacheFileException {
    boolean known = bytes.length >= HEAD_BYTES + FileCipher.TAG_BYTES;
    if (!known || !Arrays.equals(bytes, 0, MAGIC.length, MAGIC, 0, MAGIC.length)) {
      throw CacheFileException.damaged("it is no encrypted record, or of another release");
    }
    byte[] salt = Arrays.copyOfRange(bytes, MAGIC.length, HEAD_BYTES);
    ByteBuffer plain = ByteBuffer.allocate(bytes.length - HEAD_BYTES - FileCipher.TAG_BYTES);
    ByteBuffer sealed = ByteBuffer.wrap(bytes, HEAD_BYTES, bytes.length - HEAD_BYTES);
    key.cipher(salt, open(agent)).open("the record", 0, sealed, plain);
    return plain.array();
  }

  /** What the key depends on: a record that was moved to another agent's name cannot be read. */
  private static byte[] open(AgentId agent) {
    byte[] name = CacheFileNames.units(agent.name());
    return ByteBuffer.allocate(MAGIC.length + name.length).put(MAGIC).put(name).array();
  }

  private static CacheException refused(String what, AgentId agent, Path file, IOException e) {
    return new CacheException(
        "%s what %s left in %s: %s. Make that right, or remove the file to begin anew"
            .formatted(what, agent, file, Reason.of(e)),
        e);
  }
}
