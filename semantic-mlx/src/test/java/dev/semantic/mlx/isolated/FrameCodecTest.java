package dev.semantic.mlx.isolated;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.dataformat.cbor.databind.CBORMapper;
import com.sun.management.ThreadMXBean;
import dev.semantic.mlx.isolated.FrameCodec.Received;
import dev.semantic.mlx.isolated.FrameCodec.Reply;
import dev.semantic.model.ModelException;
import java.io.EOFException;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What comes from a process that is no longer ours is refused before it costs anything. */
class FrameCodecTest {
  @TempDir Path directory;

  private Received<Reply> received(ByteBuffer frame) throws IOException {
    try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      server.bind(
          UnixDomainSocketAddress.of(Files.createTempDirectory(directory, "s").resolve("s")));
      try (SocketChannel sender = SocketChannel.open(server.getLocalAddress());
          FrameCodec codec = new FrameCodec(server.accept())) {
        sender.write(frame);
        sender.shutdownOutput();
        return codec.receive(Reply.class);
      }
    }
  }

  private static ByteBuffer frame(int length, int parts, byte[] header, long... sizes) {
    ByteBuffer frame = ByteBuffer.allocate(1 << 12).order(ByteOrder.LITTLE_ENDIAN);
    frame.putInt(length).putInt(parts).put(header);
    for (long size : sizes) {
      frame.putLong(size);
    }
    return frame.flip();
  }

  private static byte[] cbor(String json) throws IOException {
    CBORMapper cbor = new CBORMapper();
    return cbor.writeValueAsBytes(new com.fasterxml.jackson.databind.ObjectMapper().readTree(json));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "null",
        "{}",
        "{\"id\":1}",
        "{\"id\":1,\"response\":null}",
        "{\"id\":1,\"response\":{\"answer\":\"Response$Text\"}}",
        "{\"id\":1,\"response\":{\"answer\":\"Response$Tokens\",\"value\":null}}",
        "{\"id\":1,\"response\":{\"answer\":\"Response$Logits\"}}",
        "{\"id\":1,\"response\":{\"answer\":\"Response$Prepared\"}}",
        "{\"id\":1,\"response\":{\"answer\":\"Response$Failed\",\"message\":\"x\"}}"
      })
  void anAnswerWithoutAValueIsNone(String json) throws IOException {
    byte[] header = cbor(json);
    IllegalStateException refused =
        assertThrows(IllegalStateException.class, () -> received(frame(header.length, 0, header)));
    assertTrue(String.valueOf(refused.getMessage()).startsWith("Not a frame"), refused::toString);
  }

  /** A length is somebody's word; room is made for it as it comes true. */
  @Test
  void whatIsOnlySaidTakesNoMemory() throws IOException {
    byte[] header = cbor("{\"id\":1,\"response\":{\"answer\":\"Response$Done\"}}");
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long before = threads.getCurrentThreadAllocatedBytes();
    assertThrows(EOFException.class, () -> received(frame(1 << 28, 0, header)));
    assertThrows(
        EOFException.class,
        () -> received(frame(header.length, 1 << 20, header, Integer.MAX_VALUE - 8)));
    long taken = threads.getCurrentThreadAllocatedBytes() - before;
    assertTrue(taken < 1 << 26, () -> taken + " bytes");
  }

  @Test
  void rowsThatDoNotFitAreTheProcesssFault() {
    for (int[] counts : new int[][] {{}, {4}, {4, -1}, {4, Integer.MAX_VALUE}, {4, 0, 1}}) {
      Received<Reply> answer =
          new Received<>(
              new Reply(1, new Response.Logits(counts)),
              List.of(ByteBuffer.allocate(16), ByteBuffer.allocate(4)));
      assertThrows(ModelException.class, () -> IsolatedModel.rows(answer, 2));
    }
    Received<Reply> whole =
        new Received<>(
            new Reply(1, new Response.Logits(new int[] {4, 0})),
            List.of(ByteBuffer.allocate(16), ByteBuffer.allocate(0)));
    assertEquals(4, IsolatedModel.rows(whole, 2).getFirst().length);
  }
}
