package dev.semantic.spi;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.BitSet;
import java.util.List;
import org.junit.jupiter.api.Test;

class DetokenizerTest {
  /** The euro sign in three pieces, a word, a special token. */
  private static final Detokenizer PIECES =
      of(
          false,
          new byte[] {(byte) 0xe2},
          new byte[] {(byte) 0x82},
          new byte[] {(byte) 0xac},
          " word".getBytes(StandardCharsets.UTF_8),
          "<end>".getBytes(StandardCharsets.UTF_8));

  private static Detokenizer of(boolean dropsFirstSpace, byte[]... tokens) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    int[] ends = new int[tokens.length];
    for (int i = 0; i < tokens.length; i++) {
      bytes.writeBytes(tokens[i]);
      ends[i] = bytes.size();
    }
    BitSet special = new BitSet();
    special.set(tokens.length - 1);
    return new Detokenizer(bytes.toByteArray(), ends, special, dropsFirstSpace);
  }

  @Test
  void aCodePointShowsWhenItIsWhole() {
    Tokenizer.TokenStream stream = PIECES.stream(false);
    assertEquals(
        List.of("", "", "€", " word"),
        List.of(stream.next(0), stream.next(1), stream.next(2), stream.next(3)));
    assertEquals("", stream.rest());
  }

  @Test
  void whatNeverBecameWholeIsReplacedAtTheEnd() {
    Tokenizer.TokenStream stream = PIECES.stream(false);
    assertEquals("", stream.next(0));
    assertEquals("\ufffd", stream.rest());
    assertEquals("\ufffd word", PIECES.decode(new int[] {0, 3}));
  }

  @Test
  void specialTokensShowOnlyWhereTheyAreWanted() {
    assertEquals(" word", PIECES.decode(new int[] {3, 4}));
    assertEquals("<end>", PIECES.stream(true).next(4));
  }

  @Test
  void tokensThatThereAreNotStandForNothing() {
    assertEquals(" word", PIECES.decode(new int[] {-1, 3, 5, Integer.MAX_VALUE}));
    assertEquals("", Detokenizer.NONE.decode(new int[] {0}));
  }

  @Test
  void theFirstSpaceAloneIsDropped() {
    Detokenizer dropping = of(true, " a".getBytes(StandardCharsets.UTF_8), new byte[0]);
    assertEquals("a a", dropping.decode(new int[] {0, 0}));
  }

  @Test
  void whatDoesNotBelongTogetherIsRefused() {
    byte[] two = new byte[2];
    BitSet third = new BitSet();
    third.set(2);
    for (int[] ends : new int[][] {{2, 1, 2}, {-1, 2}, {1}, {3}}) {
      assertThrows(
          IllegalArgumentException.class, () -> new Detokenizer(two, ends, new BitSet(), false));
    }
    int[] good = {1, 2};
    assertThrows(IllegalArgumentException.class, () -> new Detokenizer(two, good, third, false));
    assertArrayEquals(good, new Detokenizer(two, good, new BitSet(), false).ends());
  }
}
