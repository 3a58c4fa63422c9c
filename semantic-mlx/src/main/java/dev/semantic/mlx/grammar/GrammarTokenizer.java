package dev.semantic.mlx.grammar;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BOOLEAN;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.semantic.mlx.capi.GrammarCalls;
import dev.semantic.mlx.capi.Memory;
import dev.semantic.model.ModelException;
import dev.semantic.spi.Detokenizer;
import dev.semantic.spi.Tokenizer;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A model's tokens as llguidance knows them. Freed when the last who uses it has let go. */
final class GrammarTokenizer {
  private static final Logger LOG = LoggerFactory.getLogger(GrammarTokenizer.class);

  /** In front of a token's text: it is no text, and only its name leads to it. */
  private static final byte SPECIAL = (byte) 0xff;

  private static final Duration LONGEST = Duration.ofSeconds(60);

  private static final int INIT_BYTES = 96; // LlgTokenizerInitV2
  private static final int ERROR_BYTES = 1024;

  /** What a tokenizer that changes text would change: blanks at the ends and in rows, capitals. */
  private static final String PROBE = " {\"A b\":  [1, \"\u00e9\"]}\n";

  private final Tokenizer text;
  private final byte[] bytes;
  private final int[] ends;
  private final BitSet special;
  private final int[] byteTokens = new int[256]; // one token for each byte, or -1
  private final FutureTask<Boolean> opening = new FutureTask<>(this::openHere);
  private final Arena arena = Arena.ofShared();
  private MemorySegment handle = MemorySegment.NULL;
  private boolean canonical;
  private int users = 1;

  /** Of a tokenizer that is asked as long as this is used. */
  GrammarTokenizer(Tokenizer text) {
    Detokenizer table = text.detokenizer();
    this.text = text;
    this.bytes = table.bytes();
    this.ends = table.ends();
    this.special = table.special();
    // one that ends an answer is not a part of it, whatever it looks like
    text.endTokens().stream().filter(token -> token < ends.length).forEach(special::set);
    Arrays.fill(byteTokens, -1);
    for (int token = ends.length - 1; token >= 0; token--) {
      if (!special.get(token) && ends[token] - begin(token) == 1) {
        byteTokens[bytes[begin(token)] & 0xff] = token;
      }
    }
  }

  private int begin(int token) {
    return token == 0 ? 0 : ends[token - 1];
  }

  int tokens() {
    return ends.length;
  }

  /** Whether text that must come can be cut into tokens. Once it is open. */
  boolean isForcing() {
    return canonical;
  }

  MemorySegment handle() {
    return handle;
  }

  /**
   * Hands all tokens over, unless that was done; waits for whoever is at it.
   *
   * @throws ModelException if they are not taken, or not within a minute
   */
  void open() {
    if (opening.state() != Future.State.SUCCESS) {
      GrammarThreads.call(this::opened, LONGEST, () -> {});
    }
  }

  private boolean opened() throws Exception {
    opening.run(); // by the first who comes
    try {
      return opening.get();
    } catch (ExecutionException e) {
      throw e.getCause() instanceof ModelException refusal ? refusal : e;
    }
  }

  private boolean openHere() {
    long begun = System.nanoTime();
    Set<Integer> endTokens = text.endTokens();
    if (endTokens.isEmpty() || ends.length == 0) {
      throw new ModelException(
          ModelException.Kind.UNSUPPORTED,
          "The model's answers can't be constrained: it has no %s"
              .formatted(ends.length == 0 ? "texts of tokens" : "token that ends an answer"));
    }
    try (Arena call = Arena.ofConfined()) {
      int[] last = endTokens.stream().mapToInt(Integer::intValue).sorted().toArray();
      MemorySegment init = call.allocate(INIT_BYTES);
      init.set(JAVA_LONG, 0, INIT_BYTES);
      init.set(JAVA_INT, 8, ends.length);
      init.set(JAVA_INT, 12, last[0]);
      handOver(init, call);
      canonical = isCanonical();
      LOG.debug("Text that must come is {}cut into tokens", canonical ? "" : "not ");
      if (canonical) {
        init.set(JAVA_BOOLEAN, 40, true); // give it whole characters
        init.set(ADDRESS, 48, GrammarCalls.tokenizeFn(this::tokenize, arena));
      }
      init.set(JAVA_BOOLEAN, 56, !canonical);
      init.set(ADDRESS, 80, call.allocateFrom(JAVA_INT, last).asSlice(JAVA_INT.byteSize()));
      init.set(JAVA_INT, 88, last.length - 1);
      MemorySegment error = call.allocate(ERROR_BYTES);
      MemorySegment made = GrammarCalls.newTokenizer(init, error, ERROR_BYTES);
      if (made.address() == 0) {
        throw new ModelException(
            ModelException.Kind.FAILED,
            "llguidance does not take the model's tokens: " + error.getString(0));
      }
      LOG.debug("A vocabulary for constraints took {} ms", (System.nanoTime() - begun) / 1_000_000);
      keep(made);
      return true;
    }
  }

  private synchronized void keep(MemorySegment made) {
    handle = made;
    if (users == 0) { // given up meanwhile
      GrammarThreads.execute(this::free);
    }
  }

  private void handOver(MemorySegment init, Arena call) {
    int[] lengths = new int[ends.length];
    byte[] all = new byte[bytes.length + ends.length];
    int at = 0;
    for (int token = 0; token < ends.length; token++) {
      int from = begin(token);
      int length = ends[token] - from;
      int mark = special.get(token) && length > 0 ? 1 : 0;
      if (mark == 1) {
        all[at] = SPECIAL;
      }
      System.arraycopy(bytes, from, all, at + mark, length);
      lengths[token] = length + mark;
      at += length + mark;
    }
    init.set(ADDRESS, 16, call.allocateFrom(JAVA_INT, lengths));
    init.set(ADDRESS, 24, call.allocateFrom(JAVA_BYTE, all));
  }

  /** Whether text that is cut into tokens stays the same text; else none is forced. */
  private boolean isCanonical() {
    byte[] probe = PROBE.getBytes(StandardCharsets.UTF_8);
    return isSame(encoded(PROBE), probe);
  }

  private int[] encoded(String part) {
    try {
      return text.encode(part, false);
    } catch (RuntimeException e) {
      LOG.debug("A text could not be cut into tokens", e);
      return new int[0];
    }
  }

  /** Called by llguidance. What it threw would end the JVM. */
  private long tokenize(
      MemorySegment user, MemorySegment from, long length, MemorySegment to, long most) {
    try {
      if (length == 0) {
        return 0;
      }
      byte[] part = Memory.at(from, length).toArray(JAVA_BYTE);
      int[] tokens = encoded(new String(part, StandardCharsets.UTF_8));
      if (!isSame(tokens, part)) {
        tokens = oneForEachByte(part);
      }
      int written = (int) Math.min(most, tokens.length);
      MemorySegment.copy(
          tokens, 0, Memory.at(to, written * JAVA_INT.byteSize()), JAVA_INT, 0, written);
      return tokens.length;
    } catch (Throwable t) {
      return 0; // no memory: nothing is forced
    }
  }

  private boolean isSame(int[] tokens, byte[] part) {
    int at = 0;
    for (int token : tokens) {
      int length = ends[token] - begin(token);
      if (special.get(token)
          || at + length > part.length
          || !Arrays.equals(bytes, begin(token), ends[token], part, at, at + length)) {
        return false;
      }
      at += length;
    }
    return at == part.length;
  }

  private int[] oneForEachByte(byte[] part) {
    int[] tokens = new int[part.length];
    for (int i = 0; i < part.length; i++) {
      tokens[i] = byteTokens[part[i] & 0xff];
      if (tokens[i] < 0) {
        return new int[0]; // nothing is forced
      }
    }
    return tokens;
  }

  /** One more uses it. */
  synchronized void retain() {
    users++;
  }

  /** One fewer does. */
  synchronized void release() {
    if (users > 0 && --users == 0 && handle.address() != 0) {
      GrammarThreads.execute(this::free);
    }
  }

  private void free() {
    GrammarCalls.freeTokenizer(handle);
    arena.close();
  }
}
