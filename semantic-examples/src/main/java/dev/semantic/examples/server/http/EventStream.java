package dev.semantic.examples.server.http;

import io.helidon.http.HeaderNames;
import io.helidon.webserver.http.ServerResponse;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;

/**
 * Server-sent events of one response. For one thread; a client that is gone shows as an exception
 * of a write.
 */
public final class EventStream implements AutoCloseable {
  private final OutputStream out;

  private EventStream(OutputStream out) {
    this.out = out;
  }

  /** Sends the headers. */
  public static EventStream open(ServerResponse response) {
    response
        .status(200)
        .header(HeaderNames.CONTENT_TYPE, "text/event-stream; charset=utf-8")
        .header(HeaderNames.CACHE_CONTROL, "no-cache, no-store")
        .header("X-Accel-Buffering", "no");
    EventStream stream = new EventStream(response.outputStream());
    stream.comment();
    return stream;
  }

  /** An event without a name. */
  public void send(Object data) {
    write("data: " + Json.write(data) + "\n\n");
  }

  public void send(String event, Object data) {
    write("event: " + event + "\ndata: " + Json.write(data) + "\n\n");
  }

  /** The words that end a stream of OpenAI's. */
  public void done() {
    write("data: [DONE]\n\n");
  }

  /** Tells nothing, and finds out whether somebody is still there. */
  public void comment() {
    write(":\n\n");
  }

  private void write(String text) {
    try {
      out.write(text.getBytes(StandardCharsets.UTF_8));
      out.flush();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() {
    try {
      out.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
