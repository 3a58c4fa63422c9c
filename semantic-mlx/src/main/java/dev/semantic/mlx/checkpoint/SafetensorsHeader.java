package dev.semantic.mlx.checkpoint;

import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import dev.semantic.mlx.files.JsonText;
import dev.semantic.model.ModelException;
import java.io.IOException;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What stands at the front of a safetensors file: eight bytes for the length of a JSON object that
 * says where each tensor lies (format: Hugging Face's safetensors README).
 *
 * @param tensors by name; each lies within the file, none in another, and nothing between them
 */
record SafetensorsHeader(Map<String, Entry> tensors) {
  /** What the format's own library takes. */
  private static final long LONGEST = 100_000_000;

  private static final int MOST_TENSORS = 1 << 18;
  private static final int MOST_AXES = 8;

  /**
   * A tensor.
   *
   * @param dtype as the file writes it: {@code BF16}
   * @param offset of its first byte in the file
   */
  record Entry(String name, String dtype, int[] shape, long offset, long bytes) {}

  static SafetensorsHeader read(MappedFile file) {
    return new Reader(file).read();
  }

  /** Reads one header. */
  private static final class Reader {
    private final MappedFile file;
    private final Path name;
    private final Map<String, Entry> entries = new LinkedHashMap<>();
    private long base;

    Reader(MappedFile file) {
      this.file = file;
      this.name = file.path().getFileName();
    }

    SafetensorsHeader read() {
      if (file.size() < Long.BYTES + 2) {
        throw broken("it has only %d bytes".formatted(file.size()));
      }
      long length =
          file.guarded(
              () -> file.memory().get(JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN), 0));
      if (length < 2 || length > LONGEST || length > file.size() - Long.BYTES) {
        throw broken(
            "its header should have %s bytes, and the file has %d"
                .formatted(Long.toUnsignedString(length), file.size()));
      }
      base = Long.BYTES + length;
      byte[] header = file.bytes(Long.BYTES, length);
      if (header[0] != '{') {
        throw broken("its header is no JSON object");
      }
      try (JsonParser json = JsonText.FACTORY.createParser(header)) {
        object(json);
        if (json.nextToken() != null) {
          throw broken("its header goes on behind its end");
        }
      } catch (JsonProcessingException e) {
        throw broken("its header cannot be read: " + JsonText.brief(e));
      } catch (IOException e) {
        throw new ModelException(
            ModelException.Kind.FAILED,
            "Cannot read %s: %s".formatted(file.path(), e.getMessage()),
            e);
      }
      requireSeamless();
      return new SafetensorsHeader(Collections.unmodifiableMap(entries));
    }

    private void object(JsonParser json) throws IOException {
      json.nextToken();
      while (json.nextToken() != JsonToken.END_OBJECT) {
        String tensor = json.currentName();
        json.nextToken();
        if (tensor.equals("__metadata__")) {
          json.skipChildren();
        } else {
          entries.put(tensor, entry(tensor, json));
        }
        if (entries.size() > MOST_TENSORS) {
          throw broken("it has more than %d tensors".formatted(MOST_TENSORS));
        }
      }
    }

    private Entry entry(String tensor, JsonParser json) throws IOException {
      if (json.currentToken() != JsonToken.START_OBJECT) {
        throw broken("tensor %s is no JSON object".formatted(tensor));
      }
      String dtype = "";
      long[] shape = null;
      long[] offsets = null;
      while (json.nextToken() != JsonToken.END_OBJECT) {
        String field = json.currentName();
        json.nextToken();
        switch (field) {
          case "dtype" -> dtype = text(tensor, field, json);
          case "shape" -> shape = numbers(tensor, field, json, MOST_AXES);
          case "data_offsets" -> offsets = numbers(tensor, field, json, 2);
          default -> throw broken("tensor %s has a field '%s'".formatted(tensor, field));
        }
      }
      if (shape == null || offsets == null || offsets.length != 2) {
        throw broken("tensor %s lacks its shape or its offsets".formatted(tensor));
      }
      return placed(tensor, dtype, shape, offsets[0], offsets[1]);
    }

    private String text(String tensor, String field, JsonParser json) throws IOException {
      if (json.currentToken() != JsonToken.VALUE_STRING) {
        throw broken("%s of tensor %s is no text".formatted(field, tensor));
      }
      return json.getText();
    }

    private long[] numbers(String tensor, String field, JsonParser json, int most)
        throws IOException {
      if (json.currentToken() != JsonToken.START_ARRAY) {
        throw broken("%s of tensor %s is no list".formatted(field, tensor));
      }
      List<Long> numbers = new ArrayList<>();
      while (json.nextToken() != JsonToken.END_ARRAY) {
        if (json.currentToken() != JsonToken.VALUE_NUMBER_INT || numbers.size() == most) {
          throw broken("%s of tensor %s is no list of numbers".formatted(field, tensor));
        }
        long number = json.getLongValue(); // refuses what is wider
        if (number < 0) {
          throw broken("%s of tensor %s has %d in it".formatted(field, tensor, number));
        }
        numbers.add(number);
      }
      return numbers.stream().mapToLong(Long::longValue).toArray();
    }

    private Entry placed(String tensor, String dtype, long[] shape, long begin, long end) {
      long width = width(tensor, dtype);
      long room = file.size() - base;
      if (end < begin || end > room) {
        throw new ModelException(
            ModelException.Kind.DAMAGED,
            "%s is cut short: tensor %s should lie at %d + %d to %d, but the file ends at %d. Fetch it again."
                .formatted(name, tensor, base, begin, end, file.size()));
      }
      long bits = width;
      int[] axes = new int[shape.length];
      for (int i = 0; i < axes.length; i++) {
        if (shape[i] > Integer.MAX_VALUE || (shape[i] > 0 && bits > Long.MAX_VALUE / shape[i])) {
          throw broken("tensor %s is %s".formatted(tensor, Arrays.toString(shape)));
        }
        axes[i] = (int) shape[i];
        bits *= shape[i];
      }
      if (bits % Byte.SIZE != 0 || bits / Byte.SIZE != end - begin) {
        throw broken(
            "tensor %s is %s of %s, which is not %d bytes"
                .formatted(tensor, Arrays.toString(shape), dtype, end - begin));
      }
      return new Entry(tensor, dtype, axes, base + begin, end - begin);
    }

    /** In bits. */
    private long width(String tensor, String dtype) {
      return switch (dtype) {
        case "F4" -> 4;
        case "F6_E2M3", "F6_E3M2" -> 6;
        case "BOOL", "U8", "I8", "F8_E4M3", "F8_E5M2", "F8_E8M0" -> 8;
        case "U16", "I16", "F16", "BF16" -> 16;
        case "U32", "I32", "F32" -> 32;
        case "U64", "I64", "F64", "C64" -> 64;
        default -> throw broken("tensor %s is of '%s'".formatted(tensor, dtype));
      };
    }

    private void requireSeamless() {
      List<Entry> inOrder =
          entries.values().stream()
              .sorted(Comparator.comparingLong(Entry::offset).thenComparingLong(Entry::bytes))
              .toList();
      long next = base;
      String before = "";
      for (Entry entry : inOrder) {
        if (entry.offset() < next) {
          throw broken("tensors %s and %s lie in each other".formatted(before, entry.name()));
        }
        if (entry.offset() > next) {
          throw broken(
              "%d bytes before tensor %s belong to none"
                  .formatted(entry.offset() - next, entry.name()));
        }
        next = entry.offset() + entry.bytes();
        before = entry.name();
      }
      if (next != file.size()) {
        throw broken("%d bytes at its end belong to no tensor".formatted(file.size() - next));
      }
    }

    private ModelException broken(String what) {
      return new ModelException(
          ModelException.Kind.DAMAGED, "%s is damaged: %s. Fetch it again.".formatted(name, what));
    }
  }
}
