package dev.semantic.mlx.capi;

import dev.semantic.mlx.MlxException;
import dev.semantic.mlx.capi.natives.NativeLibrary;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** Looks mlx-c's functions, and those of our own kernels, up and makes them callable. */
public final class Symbols {
  private static final List<Class<?>> CALLS =
      List.of(
          ArrayCalls.class,
          VectorCalls.class,
          ArithmeticCalls.class,
          ShapeCalls.class,
          ReductionCalls.class,
          FastCalls.class,
          IoCalls.class,
          RuntimeCalls.class,
          DeviceCalls.class);

  private static final Map<String, FunctionDescriptor> DESCRIPTORS = new ConcurrentHashMap<>();

  private static NativeLibrary.@Nullable Loaded library;
  private static @Nullable String whyLinkingFailed;

  private Symbols() {}

  /**
   * Loads the natives, puts our error handler in place of mlx-c's (which ends the process) before
   * anything else is called, and links every function.
   *
   * @throws MlxException if a library or a function is missing, or native access is refused
   */
  public static synchronized void open() {
    if (whyLinkingFailed != null) {
      throw new MlxException(whyLinkingFailed);
    }
    if (library != null) {
      return;
    }
    LoaderClaim.stake();
    try {
      library = NativeLibrary.load(); // may be there the next time
    } catch (IllegalCallerException e) {
      throw accessRefused(e);
    }
    try {
      link();
    } catch (MlxException e) {
      // A class that failed to initialise says why only once.
      whyLinkingFailed = String.valueOf(e.getMessage());
      throw e;
    }
  }

  private static void link() {
    try {
      ProcessEnd.beAtOnce();
      MlxError.install();
      for (Class<?> calls : CALLS) {
        MethodHandles.lookup().ensureInitialized(calls);
      }
      if (hasKernels()) {
        MethodHandles.lookup().ensureInitialized(KernelCalls.class);
      }
    } catch (ExceptionInInitializerError e) {
      throw e.getCause() instanceof MlxException cause
          ? cause
          : new MlxException("Cannot link mlx-c: " + e.getCause(), e);
    } catch (IllegalCallerException e) {
      throw accessRefused(e);
    } catch (IllegalAccessException e) {
      throw new AssertionError("Our own classes are accessible", e);
    }
  }

  static MlxException accessRefused(IllegalCallerException cause) {
    Module module = Symbols.class.getModule();
    return new MlxException(
        "The JVM refuses native access; start it with --enable-native-access="
            + (module.isNamed() ? module.getName() : "ALL-UNNAMED"),
        cause);
  }

  /** A function of mlx-c, linked once. */
  @SuppressWarnings("restricted")
  static MethodHandle function(String name, MemoryLayout result, MemoryLayout... parameters) {
    FunctionDescriptor descriptor = FunctionDescriptor.of(result, parameters);
    DESCRIPTORS.put(name, descriptor);
    return Linker.nativeLinker().downcallHandle(find(name), descriptor);
  }

  /** A function of mlx-c that returns nothing, linked once. */
  @SuppressWarnings("restricted")
  static MethodHandle procedure(String name, MemoryLayout... parameters) {
    FunctionDescriptor descriptor = FunctionDescriptor.ofVoid(parameters);
    DESCRIPTORS.put(name, descriptor);
    return Linker.nativeLinker().downcallHandle(find(name), descriptor);
  }

  /** Whether there are CPU kernels of our own, which {@link KernelCalls} calls. */
  public static synchronized boolean hasKernels() {
    return library != null && library.kernels().isPresent();
  }

  private static MemorySegment find(String name) {
    NativeLibrary.Loaded loaded = library;
    if (loaded == null) {
      throw new IllegalStateException("Symbols.open() comes first");
    }
    return loaded
        .mlxc()
        .find(name)
        .or(() -> loaded.kernels().flatMap(kernels -> kernels.find(name)))
        .orElseThrow(
            () ->
                new MlxException(
                    "The mlx-c library at hand has no function "
                        + name
                        + "; semantic needs the version that its natives jar carries"));
  }

  /** What has been linked so far, by name. */
  static Map<String, FunctionDescriptor> descriptors() {
    return Map.copyOf(DESCRIPTORS);
  }

  /** A handle threw: our fault or the linker's, never MLX's. */
  public static AssertionError unexpected(String function, Throwable cause) {
    return new AssertionError("Calling " + function + " failed before it was called", cause);
  }
}
