package dev.semantic.mlx.quant;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.EnumSet;
import java.util.Objects;
import java.util.Set;
import org.junit.jupiter.api.Test;

/**
 * Random blocks of every format, expanded by the gguf package 0.19.0 of ggml's authors: the numbers
 * are equal. (A zero may have the other sign.)
 */
class DequantizerTest {
  @Test
  void everyFormatExpandsToTheReferencesNumbers() throws IOException {
    Set<TensorType> missing = EnumSet.allOf(TensorType.class);
    missing.remove(TensorType.F32);
    ByteBuffer file = resource().order(ByteOrder.LITTLE_ENDIAN);
    while (file.hasRemaining()) {
      byte[] name = new byte[file.getInt()];
      file.get(name);
      TensorType type = TensorType.valueOf(new String(name, StandardCharsets.US_ASCII));
      byte[] blocks = new byte[file.getInt()];
      float[] numbers = new float[file.getInt()];
      file.get(blocks);
      Dequantizer.expand(type, blocks, numbers.length, numbers);
      for (int i = 0; i < numbers.length; i++) {
        float expected = file.getFloat();
        assertEquals(expected + 0f, numbers[i] + 0f, type + " " + i);
      }
      missing.remove(type);
    }
    assertEquals(Set.of(), missing);
  }

  private static ByteBuffer resource() throws IOException {
    try (InputStream in =
        Objects.requireNonNull(
            DequantizerTest.class.getResourceAsStream("/weights/dequantised.bin"))) {
      return ByteBuffer.wrap(in.readAllBytes());
    }
  }
}
