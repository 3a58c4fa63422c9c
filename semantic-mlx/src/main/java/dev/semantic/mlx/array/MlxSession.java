package dev.semantic.mlx.array;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.semantic.memory.ByteSize;
import dev.semantic.memory.MemoryAllocation;
import dev.semantic.mlx.MlxException;
import dev.semantic.mlx.capi.DeviceCalls;
import dev.semantic.mlx.capi.Memory;
import dev.semantic.mlx.capi.RuntimeCalls;
import dev.semantic.mlx.capi.Symbols;
import dev.semantic.mlx.capi.VectorCalls;
import dev.semantic.mlx.capi.natives.NativePins;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** MLX in this process: its thread, its device, its stream. There is one; it is never unloaded. */
public final class MlxSession {
  private static final int CPU = 0;
  private static final int GPU = 1;

  private static @Nullable MlxSession instance;

  private final OwnerThread owner;
  private final String version;
  private final boolean gpu;
  private final long stream;
  private final Optional<String> kernels;
  private final Set<Scope> roots = new LinkedHashSet<>(); // on the owner thread
  private volatile int openScopes;

  private MlxSession(OwnerThread owner) {
    this.owner = owner;
    this.version = readVersion();
    requireVersion(version, NativePins.mlxVersion());
    this.gpu = chooseGpu();
    long device = RuntimeCalls.deviceNewType(gpu ? GPU : CPU, 0);
    RuntimeCalls.setDefaultDevice(device);
    RuntimeCalls.deviceFree(device);
    this.stream = gpu ? RuntimeCalls.defaultGpuStreamNew() : RuntimeCalls.defaultCpuStreamNew();
    this.kernels = gpu ? Optional.empty() : CpuKernels.open();
  }

  /**
   * The session; opened by the first call.
   *
   * @throws MlxException if the natives are missing or do not fit
   */
  public static synchronized MlxSession open() {
    MlxSession session = instance;
    if (session == null) {
      Symbols.open();
      session = Owner.THREAD.call(() -> new MlxSession(Owner.THREAD));
      instance = session;
    }
    return session;
  }

  /** Another version may have other signatures; calling those would crash, not fail. */
  static void requireVersion(String found, String needed) {
    if (!found.equals(needed)) {
      throw new MlxException(
          "The natives hold MLX %s, but semantic is made for %s; use the natives jar of this release"
              .formatted(found, needed));
    }
  }

  private static String readVersion() {
    RuntimeCalls.version(CallBuffers.result());
    long string = CallBuffers.made("mlx_version");
    String text = Memory.text(VectorCalls.stringData(string));
    VectorCalls.stringFree(string);
    return text;
  }

  /** Started when the natives are there; one for all attempts to open a session. */
  private static final class Owner {
    static final OwnerThread THREAD = new OwnerThread("semantic-mlx");
  }

  private static boolean chooseGpu() {
    String wanted = System.getProperty("semantic.mlx.device", "");
    boolean available = gpuAvailable();
    return switch (wanted) {
      case "" -> available;
      case "cpu" -> false;
      case "gpu" -> {
        if (!available) {
          throw new MlxException(
              "semantic.mlx.device is 'gpu', but this MLX finds none; leave it out or say 'cpu'");
        }
        yield true;
      }
      default ->
          throw new MlxException(
              "semantic.mlx.device must be 'cpu' or 'gpu'; it is '" + wanted + "'");
    };
  }

  private static boolean gpuAvailable() {
    long device = RuntimeCalls.deviceNewType(GPU, 0);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment answer = arena.allocate(8);
      RuntimeCalls.deviceIsAvailable(answer, device);
      return answer.get(JAVA_BYTE, 0) != 0;
    } finally {
      RuntimeCalls.deviceFree(device);
    }
  }

  /** The thread for everything that touches arrays. */
  public OwnerThread owner() {
    return owner;
  }

  /** MLX's own version. */
  public String version() {
    return version;
  }

  /** Whether computing happens on a GPU. */
  public boolean gpu() {
    return gpu;
  }

  /** A number that the device has under this name, if it has one. Any thread. */
  public OptionalLong deviceNumber(String name) {
    return owner.call(
        () -> {
          long device = RuntimeCalls.deviceNewType(gpu ? GPU : CPU, 0);
          try {
            DeviceCalls.infoGet(CallBuffers.result(), device);
          } finally {
            RuntimeCalls.deviceFree(device);
          }
          long info = CallBuffers.made("mlx_device_info_get");
          try {
            return number(info, name);
          } finally {
            DeviceCalls.infoFree(info);
          }
        });
  }

  private static OptionalLong number(long info, String name) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment key = arena.allocateFrom(name);
      MemorySegment answer = arena.allocate(JAVA_LONG);
      DeviceCalls.infoHasKey(answer, info, key);
      if (answer.get(JAVA_BYTE, 0) == 0) {
        return OptionalLong.empty();
      }
      DeviceCalls.infoIsString(answer, info, key);
      if (answer.get(JAVA_BYTE, 0) != 0) {
        return OptionalLong.empty();
      }
      DeviceCalls.infoGetSize(answer, info, key);
      return OptionalLong.of(answer.get(JAVA_LONG, 0));
    }
  }

  /** The instructions that our own CPU kernels are made of; empty where MLX's own serve. */
  public Optional<String> kernels() {
    return kernels;
  }

  long stream() {
    return stream;
  }

  /** Waits until the device has done what it was given. */
  public void synchronize() {
    owner.run(() -> RuntimeCalls.synchronize(stream));
  }

  /** A new scope at the top; on the owner thread. */
  public Scope scope(String name) {
    owner.require("Scope '" + name + "'");
    Scope root = new Scope(this, null, name);
    roots.add(root);
    openScopes = roots.size();
    return root;
  }

  void forget(Scope root) {
    roots.remove(root);
    openScopes = roots.size();
  }

  /** How many scopes at the top are open. Any thread. */
  public int openScopes() {
    return openScopes;
  }

  /**
   * Closes every scope there is, whoever made it and whatever still refers to it; who uses one of
   * them afterwards is told so. On the owner thread.
   */
  public void closeScopes() {
    owner.require("Closing all scopes");
    CloseAll attempts = new CloseAll();
    List.copyOf(roots).forEach(root -> attempts.at(root::close));
    attempts.rethrow();
  }

  /** Every array that is held, largest first; views of other arrays left out. Any thread. */
  public List<MemoryAllocation> holdings() {
    return owner.call(
        () -> {
          List<MemoryAllocation> held = new ArrayList<>();
          roots.forEach(root -> root.forEach(array -> note(array, held)));
          held.sort(Comparator.comparing(MemoryAllocation::size).reversed());
          return List.copyOf(held);
        });
  }

  private static void note(MlxArray array, List<MemoryAllocation> held) {
    if (!array.isView()) {
      String form =
          Arrays.toString(array.shape()) + " " + array.dtype().name().toLowerCase(Locale.ROOT);
      held.add(
          new MemoryAllocation(
              array.scope().toString(), array.name(), form, new ByteSize(array.bytes())));
    }
  }

  /**
   * Refuses bytes that would not fit beside what is in use.
   *
   * @throws MlxException if so
   */
  public void requireRoom(long bytes, String what) {
    owner.run(
        () -> {
          if (!gpu) {
            MemoryGuard.requireBesides(bytes, what);
          }
        });
  }
}
