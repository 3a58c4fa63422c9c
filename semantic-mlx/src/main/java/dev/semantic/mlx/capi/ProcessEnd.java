package dev.semantic.mlx.capi;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How the process ends once MLX is in it. A JVM ends by C's {@code exit}, which calls the exit
 * handlers of all libraries while MLX's thread is still inside of native code. OpenBLAS' handler
 * joins its workers; where work reaches one of them at that moment, it misses that it shall end,
 * and the process waits for ever. So the handlers of MLX's libraries, which free what the kernel
 * frees anyway, are not run.
 */
public final class ProcessEnd {
  /** {@code -Dsemantic.mlx.exit=handlers} has every exit handler run, with that risk. */
  public static final String PROPERTY = "semantic.mlx.exit";

  private static final Logger LOG = LoggerFactory.getLogger(ProcessEnd.class);
  private static final String HANDLERS = "handlers";

  private ProcessEnd() {}

  /**
   * Puts {@code _exit} behind whatever is registered from now on. It ends the process with its exit
   * status: after the JVM's shutdown hooks, in which MLX works as ever, and after the handlers of
   * libraries that come later; those of the libraries that were there before, MLX's own included,
   * are left out. To be called once, when MLX's libraries are loaded. Only glibc has the function
   * that this takes; elsewhere there is no OpenBLAS, and nothing is done.
   */
  @SuppressWarnings("restricted")
  static void beAtOnce() {
    if (System.getProperty(PROPERTY, "").equals(HANDLERS)) {
      return;
    }
    Linker linker = Linker.nativeLinker();
    SymbolLookup system = linker.defaultLookup();
    // int on_exit(void (*function)(int, void *), void *arg); void _exit(int status);
    Optional<MemorySegment> register = system.find("on_exit");
    Optional<MemorySegment> end = system.find("_exit");
    if (register.isEmpty() || end.isEmpty()) {
      return;
    }
    int status;
    try {
      status =
          (int)
              linker
                  .downcallHandle(register.get(), FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS))
                  .invokeExact(end.get(), MemorySegment.NULL);
    } catch (Throwable t) {
      throw Symbols.unexpected("on_exit", t);
    }
    if (status != 0) {
      LOG.warn("The process may not end by itself: there is no room for an exit handler");
    }
  }
}
