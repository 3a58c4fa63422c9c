package dev.semantic.mlx.capi;

import dev.semantic.mlx.MlxException;
import dev.semantic.mlx.capi.natives.NativeLibrary;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Looks llguidance's functions up and makes them callable. It is a library of its own, which needs
 * no MLX: where the model computes in another process, it is loaded without.
 */
public final class GrammarLibrary {
  private static final Map<String, FunctionDescriptor> DESCRIPTORS = new ConcurrentHashMap<>();

  private static @Nullable SymbolLookup library;
  private static @Nullable String whyLinkingFailed;

  private GrammarLibrary() {}

  /**
   * Loads it and links every function, once.
   *
   * @throws MlxException if there is none for this machine, or native access is refused
   */
  public static synchronized void open() {
    if (whyLinkingFailed != null) {
      throw new MlxException(whyLinkingFailed);
    }
    if (library != null) {
      return;
    }
    try {
      library = NativeLibrary.loadGrammar(); // may be there the next time
    } catch (IllegalCallerException e) {
      throw Symbols.accessRefused(e);
    }
    try {
      MethodHandles.lookup().ensureInitialized(GrammarCalls.class);
    } catch (ExceptionInInitializerError e) {
      whyLinkingFailed = "Cannot link llguidance: " + e.getCause();
      throw new MlxException(whyLinkingFailed, e);
    } catch (IllegalAccessException e) {
      throw new AssertionError("Our own classes are accessible", e);
    }
  }

  /** A function of llguidance, linked once. */
  static MethodHandle function(String name, MemoryLayout result, MemoryLayout... parameters) {
    return link(name, FunctionDescriptor.of(result, parameters));
  }

  /** A function of llguidance that returns nothing, linked once. */
  static MethodHandle procedure(String name, MemoryLayout... parameters) {
    return link(name, FunctionDescriptor.ofVoid(parameters));
  }

  @SuppressWarnings("restricted")
  private static MethodHandle link(String name, FunctionDescriptor descriptor) {
    SymbolLookup loaded = library;
    if (loaded == null) {
      throw new IllegalStateException("GrammarLibrary.open() comes first");
    }
    DESCRIPTORS.put(name, descriptor);
    return loaded
        .find(name)
        .map(address -> Linker.nativeLinker().downcallHandle(address, descriptor))
        .orElseThrow(() -> new MlxException("The library at hand has no function " + name));
  }

  /** What has been linked so far, by name. */
  static Map<String, FunctionDescriptor> descriptors() {
    return Map.copyOf(DESCRIPTORS);
  }
}
