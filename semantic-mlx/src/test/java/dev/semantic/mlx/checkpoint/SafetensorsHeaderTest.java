package dev.semantic.mlx.checkpoint;

import static dev.semantic.mlx.testing.Refusal.assertRefused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.model.ModelException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Headers of safetensors files, honest and hostile. */
class SafetensorsHeaderTest {
  private static final long SEED = Long.getLong("semantic.fuzz.seed", 20_260_101);
  private static final int MUTANTS = Integer.getInteger("semantic.fuzz.runs", 3_000);

  @TempDir private Path directory = Path.of("");

  private SafetensorsHeader read(byte[] bytes) throws IOException {
    Path file = Files.write(directory.resolve("tiny.safetensors"), bytes);
    try (MappedFile mapped = MappedFile.open(file)) {
      return SafetensorsHeader.read(mapped);
    }
  }

  private void refused(String header, int numbers, String... words) {
    refused(TinyDirectory.file(header, numbers), words);
  }

  private void refused(byte[] bytes, String... words) {
    ModelException thrown = assertRefused(ModelException.class, () -> read(bytes), words);
    assertTrue(String.valueOf(thrown.getMessage()).contains("tiny.safetensors"));
  }

  private static String tensor(String name, String dtype, String shape, long begin, long end) {
    return "\"%s\":{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":[%d,%d]}"
        .formatted(name, dtype, shape, begin, end);
  }

  @Test
  void tensorsLieWhereTheHeaderSays() throws IOException {
    String header =
        "{\"__metadata__\":{\"format\":\"mlx\"},%s,%s,%s}   "
            .formatted(
                tensor("b", "F32", "[2,3]", 2, 26),
                tensor("a", "BF16", "[]", 0, 2),
                tensor("none", "F32", "[0,7]", 26, 26));
    SafetensorsHeader read = read(TinyDirectory.file(header, 26));
    long base = 8L + header.length();
    assertEquals(base + 2, entry(read, "b").offset());
    assertEquals(List.of(2, 3), Arrays.stream(entry(read, "b").shape()).boxed().toList());
    assertEquals(2, entry(read, "a").bytes());
    assertEquals(0, entry(read, "none").bytes());
  }

  private static SafetensorsHeader.Entry entry(SafetensorsHeader read, String name) {
    return Objects.requireNonNull(read.tensors().get(name));
  }

  @Test
  void lengthsThatCannotBeAreRefused() {
    for (long length : new long[] {0, 1, 200, 1L << 32, Long.MAX_VALUE, -1, Long.MIN_VALUE}) {
      ByteBuffer bytes = ByteBuffer.allocate(100).order(ByteOrder.LITTLE_ENDIAN);
      bytes.putLong(length);
      refused(bytes.array(), "its header should have");
    }
    refused(new byte[] {1, 2, 3}, "only 3 bytes");
    refused("[]", 0, "no JSON object");
  }

  @Test
  void placesThatCannotBeAreRefused() {
    refused("{" + tensor("a", "F32", "[2]", 0, 8) + "}", 4, "cut short", "tensor a");
    refused("{" + tensor("a", "F32", "[2]", 8, 0) + "}", 8, "cut short");
    refused("{" + tensor("a", "F32", "[3]", 0, 8) + "}", 8, "[3] of F32", "8 bytes");
    refused("{" + tensor("a", "Q9", "[2]", 0, 8) + "}", 8, "'Q9'");
    refused("{" + tensor("a", "F32", "[-2]", 0, 8) + "}", 8, "-2");
    refused("{" + tensor("a", "F32", "[2]", 0, 8) + "}", 9, "1 bytes at its end");
    refused("{" + tensor("a", "F32", "[2]", 4, 12) + "}", 12, "4 bytes before tensor a");
    refused(
        "{%s,%s}".formatted(tensor("a", "F32", "[2]", 0, 8), tensor("b", "F32", "[2]", 4, 12)),
        12,
        "a and b lie in each other");
    refused(
        "{%s,%s}".formatted(tensor("a", "F32", "[2]", 0, 8), tensor("a", "F32", "[2]", 0, 8)),
        8,
        "Duplicate");
  }

  /** A list made a NullPointerException. */
  @Test
  void aTypeThatIsNoTextIsRefused() {
    for (String dtype : List.of("[1]", "{}", "{\"a\":1}", "1", "null", "true")) {
      String tensor = "\"a\":{\"dtype\":%s,\"shape\":[1],\"data_offsets\":[0,4]}".formatted(dtype);
      refused("{" + tensor + "}", 4, "dtype of tensor a is no text");
    }
  }

  @Test
  void countsThatOverflowAreRefused() {
    String huge = "[65536,65536,65536,65536]"; // 2^64 numbers: none, if they wrap
    refused("{" + tensor("a", "U8", huge, 0, 0) + "}", 0, "tensor a is");
    refused("{" + tensor("a", "U8", "[4294967296]", 0, 0) + "}", 0, "tensor a is");
    refused("{" + tensor("a", "U8", "[99999999999999999999]", 0, 0) + "}", 0, "cannot be read");
    refused("{" + tensor("a", "U8", "[1,1,1,1,1,1,1,1,1]", 0, 1) + "}", 1, "shape of tensor a");
    refused("{\"a\":" + "[".repeat(10_000), 0, "tensor a is no JSON object");
    refused("{\"__metadata__\":" + "{\"a\":".repeat(10_000), 0, "depth");
    refused("{\"a\":{\"dtype\":\"F32\"}}", 0, "lacks its shape");
    refused("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"extra\":1}}", 0, "'extra'");
    refused("{" + tensor("a", "F32", "[2]", 0, 8) + "}}", 8, "cannot be read");
  }

  @Test
  void cutShortAnywhereItIsRefused() throws IOException {
    byte[] whole = new TinyDirectory().bytes();
    for (int length = 1; length < whole.length; length += length < 4_000 ? 7 : 997) {
      refused(Arrays.copyOf(whole, length));
    }
  }

  /** Whatever is done to a header, it is read or refused: by name, and by nothing else. */
  @Test
  void mutantsAreReadOrRefused() throws IOException {
    byte[] whole = new TinyDirectory().bytes();
    int header = 8 + (int) ByteBuffer.wrap(whole).order(ByteOrder.LITTLE_ENDIAN).getLong();
    byte[] alphabet = "0123456789-.eE[]{}\",:\\u tfn\0".getBytes(StandardCharsets.UTF_8);
    Random random = new Random(SEED);
    int read = 0;
    int refused = 0;
    for (int i = 0; i < MUTANTS; i++) {
      byte[] mutant = whole.clone();
      for (int change = random.nextInt(1, 4); change > 0; change--) {
        int at = random.nextInt(header);
        mutant[at] =
            random.nextBoolean()
                ? alphabet[random.nextInt(alphabet.length)]
                : (byte) random.nextInt();
      }
      try {
        read(mutant);
        read++;
      } catch (ModelException e) {
        String message = String.valueOf(e.getMessage());
        assertTrue(message.contains("tiny.safetensors"), () -> "seed " + SEED + ": " + message);
        refused++;
      } catch (RuntimeException | Error e) {
        throw new AssertionError("mutant %d of seed %d: %s".formatted(i, SEED, e), e);
      }
    }
    assertTrue(read > 0 && refused > 0, "%d read, %d refused".formatted(read, refused));
  }
}
