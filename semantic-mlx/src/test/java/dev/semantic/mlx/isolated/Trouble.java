package dev.semantic.mlx.isolated;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/** What can happen to a process in the middle of a call; native where it is native code's doing. */
enum Trouble {
  KILLED("SIGKILL") {
    @Override
    void happen() throws Throwable {
      raise(9);
    }
  },
  SEGMENTATION_FAULT("its JVM crashed, SIGSEGV") {
    @Override
    @SuppressWarnings("restricted")
    void happen() {
      MemorySegment.ofAddress(8).reinterpret(8).set(ValueLayout.JAVA_BYTE, 0, (byte) 1);
    }
  },
  ABORT("SIGABRT") {
    @Override
    void happen() throws Throwable {
      libc("abort", FunctionDescriptor.ofVoid()).invokeExact();
    }
  },
  NATIVE_EXIT("exit code 255") {
    @Override
    void happen() throws Throwable {
      libc("exit", FunctionDescriptor.ofVoid(ValueLayout.JAVA_INT)).invokeExact(-1);
    }
  },
  SYSTEM_EXIT("exit code 255") {
    @Override
    void happen() {
      System.exit(-1);
    }
  },
  HALT("exit code 42") {
    @Override
    void happen() {
      Runtime.getRuntime().halt(42);
    }
  },
  OUT_OF_HEAP("Java heap is too small") {
    @Override
    void happen() {
      Object[] held = {};
      while (true) {
        held = new Object[] {held, new long[1 << 24]};
      }
    }
  },
  /** Alive, and silent. */
  STOPPED("has not answered for") {
    @Override
    void happen() throws Throwable {
      raise(System.getProperty("os.name", "").contains("Mac") ? 17 : 19);
    }
  };

  /** What the message has to say of it. */
  final String sign;

  Trouble(String sign) {
    this.sign = sign;
  }

  abstract void happen() throws Throwable;

  private static void raise(int signal) throws Throwable {
    int status =
        (int)
            libc("raise", FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT))
                .invokeExact(signal);
    if (status != 0) {
      throw new AssertionError("raise failed");
    }
  }

  @SuppressWarnings("restricted")
  private static MethodHandle libc(String function, FunctionDescriptor descriptor) {
    Linker linker = Linker.nativeLinker();
    return linker.downcallHandle(linker.defaultLookup().find(function).orElseThrow(), descriptor);
  }
}
