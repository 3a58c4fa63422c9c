package dev.semantic.mlx.capi;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BOOLEAN;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.stream.Collectors;

/**
 * A file in NumPy's format (NEP 1), made for MLX to load, that has a header and no numbers: reading
 * those leaves the memory as MLX allocated it. Every other way to make an array writes all of it
 * first, which for weights that are about to be written anyway costs as much again.
 *
 * <p>MLX reads the header on the thread that calls {@link #load}, of which there is one; the
 * numbers later, on threads of its own.
 */
public final class UninitializedArray {
  private static final int PREFIX = 10; // magic, version, length of the header

  private static final MemorySegment LABEL =
      Arena.global().allocateFrom("an array without numbers");
  private static final MemorySegment FUNCTIONS = functions();

  private static byte[] header = {};
  private static int position;

  private UninitializedArray() {}

  /**
   * Makes an array that is not evaluated; once it is, its numbers are whatever was there.
   *
   * @param format a number format as NumPy writes it, three characters: {@code <f4}
   */
  public static void load(MemorySegment res, String format, int[] shape, long stream) {
    header = header(format, shape);
    position = 0;
    long reader = IoCalls.readerNew(MemorySegment.NULL, FUNCTIONS);
    try {
      IoCalls.loadReader(res, reader, stream);
    } finally {
      IoCalls.readerFree(reader);
    }
  }

  private static byte[] header(String format, int[] shape) {
    String lengths =
        Arrays.stream(shape).mapToObj(Integer::toString).collect(Collectors.joining(", "));
    String comma = shape.length == 1 ? "," : "";
    byte[] text =
        "{'descr': '%s', 'fortran_order': False, 'shape': (%s%s), }\n"
            .formatted(format, lengths, comma)
            .getBytes(StandardCharsets.US_ASCII);
    return ByteBuffer.allocate(PREFIX + text.length)
        .order(ByteOrder.LITTLE_ENDIAN)
        .put(new byte[] {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0})
        .putShort((short) text.length)
        .put(text)
        .array();
  }

  private static MemorySegment functions() {
    MemorySegment table = Arena.global().allocate(IoCalls.VTABLE);
    FunctionDescriptor asked = FunctionDescriptor.of(JAVA_BOOLEAN, ADDRESS);
    FunctionDescriptor read = FunctionDescriptor.of(JAVA_LONG, ADDRESS, ADDRESS, JAVA_LONG);
    MemorySegment[] inOrder = {
      function("isGood", asked),
      function("isGood", asked),
      function("tell", FunctionDescriptor.of(JAVA_LONG, ADDRESS)),
      function("seek", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT)),
      function("read", read),
      function(
          "readNumbers", FunctionDescriptor.of(JAVA_LONG, ADDRESS, ADDRESS, JAVA_LONG, JAVA_LONG)),
      function("write", read),
      function("label", FunctionDescriptor.of(ADDRESS, ADDRESS)),
      function("free", FunctionDescriptor.ofVoid(ADDRESS))
    };
    for (int i = 0; i < inOrder.length; i++) {
      table.setAtIndex(ADDRESS, i, inOrder[i]);
    }
    return table;
  }

  @SuppressWarnings("restricted")
  private static MemorySegment function(String name, FunctionDescriptor descriptor) {
    try {
      MethodType type = descriptor.toMethodType();
      MethodHandle method = MethodHandles.lookup().findStatic(UninitializedArray.class, name, type);
      return Linker.nativeLinker().upcallStub(method, descriptor, Arena.global());
    } catch (ReflectiveOperationException e) {
      throw new LinkageError("Our own methods are accessible", e);
    }
  }

  // What MLX calls. An exception that left one of these would end the JVM; none has a reason to.

  @SuppressWarnings({"UnusedMethod", "UnusedVariable"})
  private static boolean isGood(MemorySegment descriptor) {
    return true;
  }

  @SuppressWarnings({"UnusedMethod", "UnusedVariable"})
  private static long tell(MemorySegment descriptor) {
    return position;
  }

  /** The header is read from its beginning to its end. */
  @SuppressWarnings({"UnusedMethod", "UnusedVariable"})
  private static int seek(MemorySegment descriptor, long offset, int whence) {
    return -1;
  }

  /** What is left of the header, if less is left than was asked for: MLX notices. */
  @SuppressWarnings({"UnusedMethod", "UnusedVariable", "restricted"})
  private static long read(MemorySegment descriptor, MemorySegment to, long bytes) {
    int count = (int) Math.clamp(bytes, 0L, header.length - position);
    MemorySegment.copy(header, position, to.reinterpret(count), JAVA_BYTE, 0, count);
    position += count;
    return count;
  }

  @SuppressWarnings({"UnusedMethod", "UnusedVariable"})
  private static long readNumbers(
      MemorySegment descriptor, MemorySegment to, long bytes, long offset) {
    return bytes;
  }

  @SuppressWarnings({"UnusedMethod", "UnusedVariable"})
  private static long write(MemorySegment descriptor, MemorySegment from, long bytes) {
    return 0;
  }

  @SuppressWarnings({"UnusedMethod", "UnusedVariable"})
  private static MemorySegment label(MemorySegment descriptor) {
    return LABEL;
  }

  @SuppressWarnings({"UnusedMethod", "UnusedVariable"})
  private static void free(MemorySegment descriptor) {}
}
