package dev.semantic.store.format;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.json.JsonWriteFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.time.DateTimeException;
import java.util.Arrays;

/** A header as JSON in ASCII, and fields of it that nobody vouches for. */
public final class HeaderFields {
  /** Bodies start at a multiple of this; headers are padded with blanks up to it. */
  private static final int ALIGNMENT = 64;

  /** An agent's name may hold anything, half a surrogate pair too; as an escape all of it lasts. */
  private static final JsonMapper JSON =
      JsonMapper.builder().enable(JsonWriteFeature.ESCAPE_NON_ASCII).build();

  private HeaderFields() {}

  /** Makes something of a header. */
  @FunctionalInterface
  public interface Meaning<T> {
    T of(JsonNode root);
  }

  static ObjectNode object() {
    return JSON.createObjectNode();
  }

  /**
   * The header's bytes.
   *
   * @param offset where they come to lie
   */
  static byte[] write(ObjectNode root, int offset) throws IOException {
    byte[] json = JSON.writeValueAsBytes(root);
    int end = offset + json.length;
    byte[] padded = Arrays.copyOf(json, json.length + Math.floorMod(-end, ALIGNMENT));
    Arrays.fill(padded, json.length, padded.length, (byte) ' ');
    return padded;
  }

  public static <T> T read(byte[] json, Meaning<T> meaning) throws CacheFileException {
    try {
      return meaning.of(JSON.readTree(json));
    } catch (JacksonException e) {
      throw CacheFileException.writtenWrong("the header is not JSON: " + e.getOriginalMessage());
    } catch (IllegalArgumentException | DateTimeException e) {
      throw CacheFileException.writtenWrong("the header makes no sense: " + e.getMessage());
    } catch (IOException e) {
      throw new AssertionError("reading an array", e);
    }
  }

  static JsonNode field(JsonNode node, String name) {
    JsonNode found = node.get(name);
    if (found == null) {
      throw new IllegalArgumentException("'" + name + "' is missing");
    }
    return found;
  }

  static String text(JsonNode node, String name) {
    JsonNode found = field(node, name);
    if (!found.isTextual()) {
      throw new IllegalArgumentException("'" + name + "' is no text");
    }
    return found.textValue();
  }

  /** False where it is missing. */
  public static boolean flag(JsonNode node, String name) {
    JsonNode found = node.get(name);
    if (found != null && !found.isBoolean()) {
      throw new IllegalArgumentException(
          "'%s' must be true or false; it is %s".formatted(name, found));
    }
    return found != null && found.booleanValue();
  }

  static int number(JsonNode node, String name, int least) {
    return checked(field(node, name), name, least);
  }

  static int checked(JsonNode found, String name, int least) {
    if (!found.isInt() || found.intValue() < least) {
      throw new IllegalArgumentException(
          "'%s' must be a number from %d; it is %s".formatted(name, least, found));
    }
    return found.intValue();
  }
}
