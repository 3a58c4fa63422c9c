package dev.semantic.mlx.capi;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;

/** llguidance's C interface, as far as it is used. Only after {@link GrammarLibrary#open}. */
public final class GrammarCalls {
  private static final MethodHandle NEW_TOKENIZER_V2 =
      GrammarLibrary.function("llg_new_tokenizer_v2", ADDRESS, ADDRESS, ADDRESS, JAVA_LONG);
  private static final MethodHandle FREE_TOKENIZER =
      GrammarLibrary.procedure("llg_free_tokenizer", ADDRESS);
  private static final MethodHandle CONSTRAINT_INIT_SET_DEFAULTS =
      GrammarLibrary.procedure("llg_constraint_init_set_defaults", ADDRESS, ADDRESS);
  private static final MethodHandle NEW_MATCHER =
      GrammarLibrary.function("llg_new_matcher", ADDRESS, ADDRESS, ADDRESS, ADDRESS);
  private static final MethodHandle FREE_MATCHER =
      GrammarLibrary.procedure("llg_free_matcher", ADDRESS);
  private static final MethodHandle MATCHER_GET_ERROR =
      GrammarLibrary.function("llg_matcher_get_error", ADDRESS, ADDRESS);
  private static final MethodHandle MATCHER_CONSUME_TOKENS =
      GrammarLibrary.function("llg_matcher_consume_tokens", JAVA_INT, ADDRESS, ADDRESS, JAVA_LONG);
  private static final MethodHandle MATCHER_COMPUTE_FF_TOKENS =
      GrammarLibrary.function(
          "llg_matcher_compute_ff_tokens", JAVA_INT, ADDRESS, ADDRESS, JAVA_LONG);
  private static final MethodHandle MATCHER_COMPUTE_MASK_INTO =
      GrammarLibrary.function(
          "llg_matcher_compute_mask_into", JAVA_INT, ADDRESS, ADDRESS, JAVA_LONG);
  private static final MethodHandle MATCHER_GET_CANCELLATION_HANDLE =
      GrammarLibrary.function("llg_matcher_get_cancellation_handle", ADDRESS, ADDRESS);
  private static final MethodHandle CANCEL = GrammarLibrary.procedure("llg_cancel", ADDRESS);
  private static final MethodHandle FREE_CANCELLATION_HANDLE =
      GrammarLibrary.procedure("llg_free_cancellation_handle", ADDRESS);

  private GrammarCalls() {}

  /**
   * {@code struct LlgTokenizer *llg_new_tokenizer_v2(const struct LlgTokenizerInitV2 *tok_init,
   * char *error_string, size_t error_string_len)}.
   */
  public static MemorySegment newTokenizer(
      MemorySegment init, MemorySegment error, long errorBytes) {
    try {
      return (MemorySegment) NEW_TOKENIZER_V2.invokeExact(init, error, errorBytes);
    } catch (Throwable t) {
      throw Symbols.unexpected("llg_new_tokenizer_v2", t);
    }
  }

  /** {@code void llg_free_tokenizer(struct LlgTokenizer *tok)}. */
  public static void freeTokenizer(MemorySegment tokenizer) {
    try {
      FREE_TOKENIZER.invokeExact(tokenizer);
    } catch (Throwable t) {
      throw Symbols.unexpected("llg_free_tokenizer", t);
    }
  }

  /**
   * {@code void llg_constraint_init_set_defaults(struct LlgConstraintInit *init, const struct
   * LlgTokenizer *tokenizer)}.
   */
  public static void setDefaults(MemorySegment init, MemorySegment tokenizer) {
    try {
      CONSTRAINT_INIT_SET_DEFAULTS.invokeExact(init, tokenizer);
    } catch (Throwable t) {
      throw Symbols.unexpected("llg_constraint_init_set_defaults", t);
    }
  }

  /**
   * {@code struct LlgMatcher *llg_new_matcher(const struct LlgConstraintInit *init, const char
   * *constraint_type, const char *data)}.
   */
  public static MemorySegment newMatcher(
      MemorySegment init, MemorySegment type, MemorySegment data) {
    try {
      return (MemorySegment) NEW_MATCHER.invokeExact(init, type, data);
    } catch (Throwable t) {
      throw Symbols.unexpected("llg_new_matcher", t);
    }
  }

  /** {@code void llg_free_matcher(struct LlgMatcher *matcher)}. */
  public static void freeMatcher(MemorySegment matcher) {
    try {
      FREE_MATCHER.invokeExact(matcher);
    } catch (Throwable t) {
      throw Symbols.unexpected("llg_free_matcher", t);
    }
  }

  /** {@code const char *llg_matcher_get_error(struct LlgMatcher *matcher)}. */
  public static MemorySegment error(MemorySegment matcher) {
    try {
      return (MemorySegment) MATCHER_GET_ERROR.invokeExact(matcher);
    } catch (Throwable t) {
      throw Symbols.unexpected("llg_matcher_get_error", t);
    }
  }

  /**
   * {@code int32_t llg_matcher_consume_tokens(struct LlgMatcher *matcher, const uint32_t *tokens,
   * size_t n_tokens)}.
   */
  public static int consume(MemorySegment matcher, MemorySegment tokens, long count) {
    try {
      return (int) MATCHER_CONSUME_TOKENS.invokeExact(matcher, tokens, count);
    } catch (Throwable t) {
      throw Symbols.unexpected("llg_matcher_consume_tokens", t);
    }
  }

  /**
   * {@code int32_t llg_matcher_compute_ff_tokens(struct LlgMatcher *matcher, uint32_t *output,
   * size_t output_len)}.
   */
  public static int forced(MemorySegment matcher, MemorySegment tokens, long most) {
    try {
      return (int) MATCHER_COMPUTE_FF_TOKENS.invokeExact(matcher, tokens, most);
    } catch (Throwable t) {
      throw Symbols.unexpected("llg_matcher_compute_ff_tokens", t);
    }
  }

  /**
   * {@code int32_t llg_matcher_compute_mask_into(struct LlgMatcher *matcher, uint32_t *mask_dest,
   * size_t mask_byte_len)}.
   */
  public static int mask(MemorySegment matcher, MemorySegment mask, long bytes) {
    try {
      return (int) MATCHER_COMPUTE_MASK_INTO.invokeExact(matcher, mask, bytes);
    } catch (Throwable t) {
      throw Symbols.unexpected("llg_matcher_compute_mask_into", t);
    }
  }

  /**
   * {@code struct LlgCancellationHandle *llg_matcher_get_cancellation_handle(struct LlgMatcher
   * *matcher)}.
   */
  public static MemorySegment cancellation(MemorySegment matcher) {
    try {
      return (MemorySegment) MATCHER_GET_CANCELLATION_HANDLE.invokeExact(matcher);
    } catch (Throwable t) {
      throw Symbols.unexpected("llg_matcher_get_cancellation_handle", t);
    }
  }

  /** {@code void llg_cancel(const struct LlgCancellationHandle *handle)}. */
  public static void cancel(MemorySegment handle) {
    try {
      CANCEL.invokeExact(handle);
    } catch (Throwable t) {
      throw Symbols.unexpected("llg_cancel", t);
    }
  }

  /** {@code void llg_free_cancellation_handle(struct LlgCancellationHandle *handle)}. */
  public static void freeCancellation(MemorySegment handle) {
    try {
      FREE_CANCELLATION_HANDLE.invokeExact(handle);
    } catch (Throwable t) {
      throw Symbols.unexpected("llg_free_cancellation_handle", t);
    }
  }

  /** Makes tokens of text for llguidance; what it throws would end the JVM. */
  @FunctionalInterface
  public interface TokenizeFn {
    /**
     * The tokens of {@code length} bytes of UTF-8; as many as there is room for are written.
     *
     * @return how many there are
     */
    long tokenize(
        MemorySegment user, MemorySegment bytes, long length, MemorySegment tokens, long most);
  }

  /** {@code size_t (*LlgTokenizeFn)(user_data, bytes, bytes_len, output_tokens, output_len)}. */
  @SuppressWarnings("restricted")
  public static MemorySegment tokenizeFn(TokenizeFn function, Arena arena) {
    try {
      MethodHandle handle =
          MethodHandles.lookup()
              .findVirtual(
                  TokenizeFn.class,
                  "tokenize",
                  MethodType.methodType(
                      long.class,
                      MemorySegment.class,
                      MemorySegment.class,
                      long.class,
                      MemorySegment.class,
                      long.class))
              .bindTo(function);
      FunctionDescriptor descriptor =
          FunctionDescriptor.of(JAVA_LONG, ADDRESS, ADDRESS, JAVA_LONG, ADDRESS, JAVA_LONG);
      return Linker.nativeLinker().upcallStub(handle, descriptor, arena);
    } catch (ReflectiveOperationException e) {
      throw new LinkageError("Our own interface is accessible", e);
    }
  }
}
