package dev.semantic.mlx.isolated;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.semantic.model.ModelException;
import dev.semantic.scripted.Geometry;
import dev.semantic.spi.Detokenizer;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.BitSet;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Texts of tokens cross from the child whole, or are refused. */
class TextsTest {
  private static final Response.Prepared PREPARED =
      new Response.Prepared(Geometry.ALPHA.spec(), List.of(), false, false, "", 0, true);

  private static Detokenizer sent() {
    BitSet special = new BitSet();
    special.set(1);
    byte[] bytes = " ab<s>c".getBytes(StandardCharsets.UTF_8);
    return new Detokenizer(bytes, new int[] {3, 6, 7}, special, true);
  }

  @Test
  void theParentReadsWhatTheChildWould() {
    Detokenizer received = Texts.of(PREPARED, Texts.parts(sent()));
    int[] tokens = {0, 1, 2};
    assertEquals("abc", received.decode(tokens));
    assertEquals(sent().decode(tokens), received.decode(tokens));
    assertEquals("<s>", received.stream(true).next(1));
  }

  /** From a process that is no longer ours. */
  @Test
  void whatFitsNothingIsRefused() {
    List<ByteBuffer> parts = Texts.parts(sent());
    ByteBuffer none = ByteBuffer.allocate(0);
    ByteBuffer odd = ByteBuffer.allocate(5);
    for (List<ByteBuffer> broken :
        List.of(
            List.<ByteBuffer>of(),
            List.of(parts.get(0)),
            List.of(none, parts.get(1), none),
            List.of(parts.get(0), odd, parts.get(2)),
            List.of(parts.get(0), none, none))) {
      assertThrows(ModelException.class, () -> Texts.of(PREPARED, broken));
    }
  }
}
