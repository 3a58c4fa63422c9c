package dev.semantic.mlx.checkpoint;

import dev.semantic.model.ModelException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Reads a GGUF header from front to back; believes no length before it has compared it. */
final class GgufCursor {
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfDouble DOUBLE =
      ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private static final int MAX_NESTING = 4;

  /** Ten times the largest vocabulary there is. */
  private static final int MOST_ELEMENTS = 10_000_000;

  private final Path file;
  private final MemorySegment memory;
  private long position;

  GgufCursor(Path file, MemorySegment memory) {
    this.file = file;
    this.memory = memory;
  }

  long position() {
    return position;
  }

  /** An error at the present place. */
  ModelException broken(String what) {
    return new ModelException(
        ModelException.Kind.DAMAGED,
        "%s is not a whole GGUF file: %s at byte %d of %d. Fetch it again."
            .formatted(file, what, position, memory.byteSize()));
  }

  private long advance(long bytes, String what) {
    if (bytes < 0 || bytes > memory.byteSize() - position) {
      throw broken("%s needs %d bytes".formatted(what, bytes));
    }
    long at = position;
    position += bytes;
    return at;
  }

  int int32(String what) {
    return memory.get(INT, advance(4, what));
  }

  long int64(String what) {
    return memory.get(LONG, advance(8, what));
  }

  /**
   * A number of things that follow.
   *
   * @param smallest bytes that each takes at least
   */
  int count(String what, int smallest) {
    long count = int64(what);
    long most = Math.min(Integer.MAX_VALUE - 8, (memory.byteSize() - position) / smallest);
    if (count < 0 || count > most) {
      throw broken("%s says %s".formatted(what, Long.toUnsignedString(count)));
    }
    return Math.toIntExact(count);
  }

  String string(String what) {
    int length = count(what, 1);
    byte[] bytes = new byte[length];
    MemorySegment.copy(memory, ValueLayout.JAVA_BYTE, advance(length, what), bytes, 0, length);
    return new String(bytes, StandardCharsets.UTF_8);
  }

  /** A metadata value: Long, Double, Boolean, String, or a List of them. */
  Object value(String key) {
    return value(key, int32("the type of " + key), 0);
  }

  private Object value(String key, int type, int depth) {
    return switch (type) {
      case 0 -> (long) (memory.get(ValueLayout.JAVA_BYTE, advance(1, key)) & 0xff);
      case 1 -> (long) memory.get(ValueLayout.JAVA_BYTE, advance(1, key));
      case 2 -> (long) (memory.get(SHORT, advance(2, key)) & 0xffff);
      case 3 -> (long) memory.get(SHORT, advance(2, key));
      case 4 -> Integer.toUnsignedLong(int32(key));
      case 5 -> (long) int32(key);
      case 6 -> (double) memory.get(FLOAT, advance(4, key));
      case 7 -> memory.get(ValueLayout.JAVA_BYTE, advance(1, key)) != 0;
      case 8 -> string(key);
      case 9 -> array(key, depth);
      case 10, 11 -> int64(key);
      case 12 -> memory.get(DOUBLE, advance(8, key));
      default -> throw broken("unknown value type %d of %s".formatted(type, key));
    };
  }

  private Object array(String key, int depth) {
    if (depth == MAX_NESTING) {
      throw broken("lists nested too deeply in " + key);
    }
    int type = int32("the element type of " + key);
    int count = count("the length of " + key, smallest(key, type));
    if (count > MOST_ELEMENTS) {
      throw broken("a list of %d in %s".formatted(count, key));
    }
    List<Object> values = new ArrayList<>(Math.min(count, 1 << 12));
    for (int i = 0; i < count; i++) {
      values.add(value(key, type, depth + 1));
    }
    return java.util.Collections.unmodifiableList(values);
  }

  private int smallest(String key, int type) {
    return switch (type) {
      case 0, 1, 7 -> 1;
      case 2, 3 -> 2;
      case 4, 5, 6 -> 4;
      case 8, 10, 11, 12 -> 8;
      case 9 -> 12;
      default -> throw broken("unknown element type %d of %s".formatted(type, key));
    };
  }
}
