package dev.semantic.examples.server.http;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.helidon.http.HeaderNames;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Bodies of requests and answers. */
public final class Json {
  public static final String TYPE = "application/json";

  private static final JsonMapper MAPPER =
      JsonMapper.builder()
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .build();

  private Json() {}

  /**
   * A request's JSON object.
   *
   * @param max bytes, at most
   * @throws HttpFailure if it is too long, no UTF-8 or no JSON object
   */
  public static Fields read(ServerRequest request, int max) {
    byte[] bytes;
    try (InputStream in = request.content().inputStream()) {
      bytes = in.readNBytes(max + 1);
    } catch (IOException e) {
      throw HttpFailure.invalid("The body could not be read to its end");
    }
    if (bytes.length > max) {
      throw new HttpFailure(
          413, "too_large", "The body has more than the %d bytes that it may have".formatted(max));
    }
    return new Fields(parse(bytes), "");
  }

  private static Map<String, @Nullable Object> parse(byte[] bytes) {
    String text;
    try {
      text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException e) {
      throw HttpFailure.invalid("The body is not UTF-8");
    }
    if (text.isBlank()) {
      throw HttpFailure.invalid("The body is empty; it must be a JSON object");
    }
    try {
      Map<String, @Nullable Object> fields =
          MAPPER.readValue(text, new TypeReference<Map<String, @Nullable Object>>() {});
      if (fields == null) {
        throw HttpFailure.invalid("The body must be a JSON object; it is null");
      }
      return fields;
    } catch (JsonProcessingException e) {
      throw HttpFailure.invalid("The body is no JSON object: " + e.getOriginalMessage());
    }
  }

  public static String write(Object value) {
    try {
      return MAPPER.writeValueAsString(value);
    } catch (JacksonException e) {
      throw new IllegalStateException("An answer is no JSON", e);
    }
  }

  /** Sends {@code body} as it is. */
  public static void send(ServerResponse response, int status, Object body) {
    send(response, status, TYPE, body);
  }

  public static void send(ServerResponse response, int status, String type, Object body) {
    response
        .status(status)
        .header(HeaderNames.CONTENT_TYPE, type)
        .header(HeaderNames.CACHE_CONTROL, "no-store")
        .send(write(body).getBytes(StandardCharsets.UTF_8));
  }

  /** An object of names and values in turn. */
  public static Map<String, @Nullable Object> object(@Nullable Object... pairs) {
    Map<String, @Nullable Object> fields = new LinkedHashMap<>();
    for (int i = 0; i < pairs.length; i += 2) {
      fields.put(String.valueOf(pairs[i]), pairs[i + 1]);
    }
    return fields;
  }
}
