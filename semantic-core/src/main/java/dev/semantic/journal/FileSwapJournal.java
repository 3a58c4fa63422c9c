package dev.semantic.journal;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.semantic.io.DurableFiles;
import dev.semantic.io.OwnPath;
import dev.semantic.io.PrivateFiles;
import dev.semantic.io.Reason;
import dev.semantic.log.Log;
import dev.semantic.model.ModelId;
import dev.semantic.model.ModelTag;
import dev.semantic.swap.SwapPhase;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * A journal in a small file: one line of JSON for the swap, one for each phase it enters, each
 * behind its CRC32C. Empty while nothing is under way. The first line is on the disk before the
 * swap touches anything; phases survive the process, not the power.
 *
 * <p>For one registry at a time: keep it where its caches are, in a directory that is locked.
 */
public final class FileSwapJournal implements SwapJournal {
  private static final Log LOG = Log.of(FileSwapJournal.class);
  private static final JsonMapper JSON = new JsonMapper();
  private static final int MAX_BYTES = 1 << 16; // a dozen lines are the most that a swap writes
  private static final Set<OpenOption> ANEW =
      Set.of(
          StandardOpenOption.CREATE,
          StandardOpenOption.WRITE,
          StandardOpenOption.TRUNCATE_EXISTING);
  private static final Set<OpenOption> MORE =
      Set.of(StandardOpenOption.WRITE, StandardOpenOption.APPEND);

  private final Path file;
  private Optional<InterruptedSwap> interrupted;
  private boolean torn; // its last line may be half written
  private boolean stale; // it may name a swap that has ended

  private FileSwapJournal(Path file, Optional<InterruptedSwap> interrupted) {
    this.file = file;
    this.interrupted = interrupted;
  }

  /**
   * Reads what the last process left; a journal that cannot be read counts as empty.
   *
   * @throws UncheckedIOException if others may write to its directory, or it is another user's:
   *     they could tell of swaps that never were; says what to do about it
   */
  public static FileSwapJournal open(Path file) {
    requireOwn(file);
    return new FileSwapJournal(file, read(file));
  }

  private static void requireOwn(Path file) {
    try {
      OwnPath.requireOwn(DurableFiles.parent(file.toAbsolutePath()));
    } catch (AccessDeniedException e) {
      throw new UncheckedIOException(
          "Cannot keep a swap journal at %s: %s".formatted(file, Reason.of(e)), e);
    } catch (IOException e) {
      LOG.debug("Cannot see whose the directory of {} is", file, e); // nor is it there to write to
    }
  }

  private static Optional<InterruptedSwap> read(Path file) {
    try {
      return parse(lines(file));
    } catch (NoSuchFileException none) {
      return Optional.empty();
    } catch (IOException | RuntimeException e) {
      LOG.warn("Cannot read the swap journal {}; it counts as empty", file, e);
      return Optional.empty();
    }
  }

  private static List<String> lines(Path file) throws IOException {
    try (FileChannel channel = PrivateFiles.open(file, Set.of(StandardOpenOption.READ));
        InputStream in = Channels.newInputStream(channel)) {
      return new String(in.readNBytes(MAX_BYTES), StandardCharsets.UTF_8).lines().toList();
    }
  }

  private static Optional<InterruptedSwap> parse(List<String> lines) throws IOException {
    InterruptedSwap found = null;
    for (String line : lines) {
      JsonNode json = checked(line);
      if (json == null) {
        continue; // written half, when the process ended or the disk failed
      }
      if (found != null) {
        found = entered(found, json);
      } else if (json.has("id")) {
        found = begun(json);
      }
    }
    return Optional.ofNullable(found);
  }

  private static InterruptedSwap begun(JsonNode json) {
    SwapEntry entry =
        new SwapEntry(
            json.required("id").asText(),
            Instant.parse(json.required("started").asText()),
            Optional.ofNullable(json.get("from"))
                .map(tag -> new ModelTag(tag.asText(), json.required("fingerprint").asText())),
            Optional.ofNullable(json.get("to")).map(id -> new ModelId(id.asText())));
    return new InterruptedSwap(entry, SwapPhase.PREPARING, json.required("pid").asLong());
  }

  private static InterruptedSwap entered(InterruptedSwap swap, JsonNode json) {
    SwapPhase phase = SwapPhase.valueOf(json.required("phase").asText());
    return new InterruptedSwap(swap.swap(), phase, swap.pid());
  }

  private static @Nullable JsonNode checked(String line) throws IOException {
    int space = line.indexOf(' ');
    boolean whole = space == 8 && line.startsWith(crc(line.substring(space + 1)));
    return whole ? JSON.readTree(line.substring(space + 1)) : null;
  }

  private static String crc(String text) {
    CRC32C crc = new CRC32C();
    crc.update(text.getBytes(StandardCharsets.UTF_8));
    return String.format("%08x", crc.getValue());
  }

  @Override
  public synchronized Optional<InterruptedSwap> interrupted() {
    Optional<InterruptedSwap> told = interrupted;
    if (told.isPresent()) {
      interrupted = Optional.empty();
      ended();
    }
    return told;
  }

  @Override
  public synchronized void begun(SwapEntry entry) {
    ObjectNode json =
        JSON.createObjectNode()
            .put("id", entry.id())
            .put("started", entry.started().toString())
            .put("pid", ProcessHandle.current().pid());
    entry.from().ifPresent(tag -> json.put("from", tag.model()));
    entry.from().ifPresent(tag -> json.put("fingerprint", tag.fingerprint()));
    entry.to().ifPresent(id -> json.put("to", id.name()));
    torn = false;
    stale &= !write(ANEW, line(json), true);
  }

  @Override
  public synchronized void phase(SwapPhase phase) {
    if (!stale) { // else it would be taken for another's
      write(MORE, line(JSON.createObjectNode().put("phase", phase.name())), false);
    }
  }

  @Override
  public synchronized void ended() {
    torn = false;
    stale = !write(ANEW, "", false);
  }

  private static String line(ObjectNode json) {
    String text = json.toString();
    return crc(text) + " " + text + "\n";
  }

  /** Returns whether the whole line is in the file. */
  private boolean write(Set<OpenOption> how, String line, boolean durable) {
    ByteBuffer bytes =
        ByteBuffer.wrap((torn ? "\n" + line : line).getBytes(StandardCharsets.UTF_8));
    torn = true;
    try (FileChannel channel = PrivateFiles.open(file, how)) {
      while (bytes.hasRemaining()) {
        channel.write(bytes);
      }
      torn = false;
      if (durable) {
        channel.force(true);
      }
    } catch (IOException | RuntimeException e) {
      LOG.warn("Cannot write the swap journal {}; the swap goes on without", file, e);
    }
    return !torn;
  }

  /** Nothing stays open between two lines; an end that could not be written is tried again. */
  @Override
  public synchronized void close() {
    if (stale) {
      ended();
    }
  }
}
