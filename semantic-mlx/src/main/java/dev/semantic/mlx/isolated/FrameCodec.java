package dev.semantic.mlx.isolated;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.cbor.CBORFactory;
import com.fasterxml.jackson.dataformat.cbor.CBORGenerator;
import com.fasterxml.jackson.dataformat.cbor.databind.CBORMapper;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * Frames over a Unix socket: how long the header is and how many parts follow, the header in CBOR
 * (RFC 8949), then each part behind its length. Parts are bulk data, logits or keys and values, and
 * never go through the header. Numbers are little-endian.
 *
 * <p>Any thread may send; one receives.
 */
final class FrameCodec implements AutoCloseable {
  /** Large enough for a row of logits, small enough to keep. */
  private static final int STAGE = 1 << 18;

  private static final int MOST_HEADER = 1 << 28;
  private static final int MOST_PARTS = 1 << 20;

  /** What is made room for on the other side's mere word; more once so much has come. */
  private static final int TRUSTED = 1 << 24;

  private static final ObjectMapper CBOR =
      new CBORMapper(
          CBORFactory.builder()
              // half a surrogate pair is what a user may well send; it becomes U+FFFD
              .enable(CBORGenerator.Feature.LENIENT_UTF_ENCODING)
              .streamReadConstraints(
                  StreamReadConstraints.builder().maxStringLength(Integer.MAX_VALUE).build())
              .build());

  private final SocketChannel channel;
  private final ByteBuffer out = stage();
  private final ByteBuffer in = stage().flip();

  /** What arrived. */
  record Received<T>(T header, List<ByteBuffer> parts) {}

  /** Something asked. */
  record Call(long id, Request request) {
    Call {
      Objects.requireNonNull(request, "ask");
    }
  }

  /** Something answered. */
  record Reply(long id, Response response) {
    Reply {
      Objects.requireNonNull(response, "answer");
    }
  }

  FrameCodec(SocketChannel channel) {
    this.channel = channel;
  }

  private static ByteBuffer stage() {
    return ByteBuffer.allocateDirect(STAGE).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** What goes over the wire in one piece; made apart, so that only the socket can fail a send. */
  record Frame(byte[] header, List<ByteBuffer> parts) {
    /**
     * Of a call or a reply.
     *
     * @throws IllegalArgumentException if it cannot be written in CBOR
     */
    static Frame of(Object header, List<ByteBuffer> parts) {
      try {
        return new Frame(CBOR.writeValueAsBytes(header), parts);
      } catch (JsonProcessingException e) {
        throw new IllegalArgumentException("Cannot be sent: " + e.getOriginalMessage(), e);
      }
    }
  }

  /** Sends one frame. */
  void send(Frame frame) throws IOException {
    synchronized (out) {
      out.clear();
      out.putInt(frame.header().length).putInt(frame.parts().size());
      write(ByteBuffer.wrap(frame.header()));
      for (ByteBuffer part : frame.parts()) {
        if (out.remaining() < Long.BYTES) {
          drain();
        }
        out.putLong(part.remaining());
        write(part.duplicate());
      }
      drain();
    }
  }

  private void write(ByteBuffer from) throws IOException {
    while (from.hasRemaining()) {
      if (!out.hasRemaining()) {
        drain();
      }
      int count = Math.min(out.remaining(), from.remaining());
      out.put(out.position(), from, from.position(), count);
      out.position(out.position() + count);
      from.position(from.position() + count);
    }
  }

  private void drain() throws IOException {
    out.flip();
    while (out.hasRemaining()) {
      channel.write(out);
    }
    out.clear();
  }

  /**
   * The next frame.
   *
   * @throws EOFException if the other side is gone
   * @throws IllegalStateException if what arrived is no frame
   */
  <T> Received<T> receive(Class<T> type) throws IOException {
    int length = bounded(readInt(), MOST_HEADER, "header");
    int count = bounded(readInt(), MOST_PARTS, "number of parts");
    T header = header(read(length).array(), type);
    List<ByteBuffer> parts = new ArrayList<>(Math.min(count, 1 << 10));
    for (int i = 0; i < count; i++) {
      fill(Long.BYTES);
      int size = bounded(in.getLong(), Integer.MAX_VALUE - 8, "part");
      parts.add(read(size).order(ByteOrder.LITTLE_ENDIAN));
    }
    return new Received<>(header, parts);
  }

  private static <T> T header(byte[] bytes, Class<T> type) throws IOException {
    T header;
    try {
      header = CBOR.readValue(bytes, type);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("Not a frame: " + e.getOriginalMessage(), e);
    }
    if (header == null) {
      throw new IllegalStateException("Not a frame: its header is null");
    }
    return header;
  }

  private static int bounded(long value, int most, String what) {
    if (value < 0 || value > most) {
      throw new IllegalStateException("Not a frame: a " + what + " of " + value);
    }
    return (int) value;
  }

  private int readInt() throws IOException {
    fill(Integer.BYTES);
    return in.getInt();
  }

  /** The next bytes, as many as there are said to be. */
  private ByteBuffer read(int size) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(Math.min(size, TRUSTED));
    read(bytes);
    if (size > TRUSTED) {
      bytes = ByteBuffer.allocate(size).put(bytes.flip());
      read(bytes);
    }
    return bytes.flip();
  }

  private void read(ByteBuffer into) throws IOException {
    while (into.hasRemaining()) {
      fill(1);
      int count = Math.min(in.remaining(), into.remaining());
      into.put(into.position(), in, in.position(), count);
      into.position(into.position() + count);
      in.position(in.position() + count);
    }
  }

  private void fill(int needed) throws IOException {
    if (in.remaining() >= needed) {
      return;
    }
    in.compact();
    while (in.position() < needed) {
      if (channel.read(in) < 0) {
        throw new EOFException("The other side is gone");
      }
    }
    in.flip();
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
