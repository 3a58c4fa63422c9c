package dev.semantic.mlx.convert;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.semantic.mlx.array.DType;
import dev.semantic.mlx.files.Sha256;
import dev.semantic.mlx.quant.AffineQuantizer;
import dev.semantic.mlx.quant.AffineRows;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.MessageDigest;
import java.util.Base64;
import java.util.Locale;
import java.util.Objects;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Numbers are quantised as {@code mlx.core.quantize} does it, to the bit. */
class AffineQuantizerTest {
  private static final JsonNode REFERENCE = reference();

  private static JsonNode reference() {
    try (InputStream in =
        Objects.requireNonNull(
            AffineQuantizerTest.class.getResourceAsStream("/weights/affine-quantize.json"))) {
      return new ObjectMapper().readTree(in);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static Stream<JsonNode> cases() {
    return StreamSupport.stream(REFERENCE.get("cases").spliterator(), false);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("cases")
  void integersScalesAndBiasesAreMlxs(JsonNode expected) {
    DType type = DType.valueOf(expected.get(0).textValue().toUpperCase(Locale.ROOT));
    float[] numbers = numbers();
    Rounding.round(numbers, numbers.length, type);
    int groupSize = expected.get(2).intValue();
    AffineRows rows = AffineRows.of(1, numbers.length, expected.get(1).intValue(), groupSize);
    AffineQuantizer.quantize(numbers, numbers.length, rows);
    MessageDigest digest = Sha256.digest();
    digest.update(rows.weights());
    for (float[] part : new float[][] {rows.scales(), rows.biases()}) {
      Rounding.round(part, part.length, type);
      digest.update(Rounding.bytes(part, part.length, type));
    }
    assertEquals(expected.get(3).textValue(), Sha256.finish(digest));
  }

  private static float[] numbers() {
    byte[] bytes = Base64.getDecoder().decode(REFERENCE.get("numbers").textValue());
    float[] numbers = new float[bytes.length / Float.BYTES];
    ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(numbers);
    return numbers;
  }
}
