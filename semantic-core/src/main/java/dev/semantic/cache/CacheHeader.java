package dev.semantic.cache;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.json.JsonWriteFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.semantic.model.KvLayout;
import dev.semantic.model.KvPrecision;
import dev.semantic.model.ModelTag;
import java.io.IOException;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/**
 * What a cache file says about itself, and so where everything in it lies. The form on disk is JSON
 * in ASCII; {@code docs/cache-format.md} describes it.
 *
 * @param tokens how many tokens the cache was computed from
 * @param spans which of them each layer holds
 * @param blockBytes every section has one checksum per so many bytes
 */
record CacheHeader(
    AgentId agent,
    ModelTag tag,
    Instant parked,
    KvPrecision precision,
    int tokens,
    KvLayout layout,
    List<Span> spans,
    int blockBytes) {

  static final int LEAST_BLOCK = 64;
  static final int MOST_LAYERS = 10_000;

  /** An agent's name may hold anything, half a surrogate pair too; as an escape all of it lasts. */
  private static final JsonMapper JSON =
      JsonMapper.builder().enable(JsonWriteFeature.ESCAPE_NON_ASCII).build();

  /** The tokens that one layer holds. */
  record Span(int start, int length) {}

  CacheHeader {
    spans = List.copyOf(spans);
  }

  static CacheHeader of(AgentId agent, KvSnapshot snapshot, Instant parked, int blockBytes) {
    List<Span> spans =
        snapshot.layers().stream().map(kv -> new Span(kv.start(), kv.length())).toList();
    return new CacheHeader(
        agent,
        snapshot.tag(),
        parked,
        snapshot.precision(),
        snapshot.tokens().length,
        snapshot.layout(),
        spans,
        blockBytes);
  }

  byte[] toJson() throws IOException {
    ObjectNode root = JSON.createObjectNode();
    root.put("agent", agent.name());
    root.put("model", tag.model());
    root.put("fingerprint", tag.fingerprint());
    root.put("parked", parked.toString());
    root.put("precision", precision.name());
    root.put("tokens", tokens);
    root.put("blockBytes", blockBytes);
    ArrayNode layers = root.putArray("layers");
    for (int i = 0; i < spans.size(); i++) {
      KvLayout.Layer layer = layout.layers().get(i);
      ObjectNode node = layers.addObject();
      node.put("kvHeads", layer.kvHeads());
      node.put("headDim", layer.headDim());
      node.put("window", layer.window());
      node.put("start", spans.get(i).start());
      node.put("length", spans.get(i).length());
    }
    return JSON.writeValueAsBytes(root);
  }

  static CacheHeader parse(byte[] json) throws CacheFileException {
    try {
      return parse(JSON.readTree(json));
    } catch (JacksonException e) {
      throw CacheFileException.writtenWrong("the header is not JSON: " + e.getOriginalMessage());
    } catch (IllegalArgumentException | DateTimeException e) {
      throw CacheFileException.writtenWrong("the header makes no sense: " + e.getMessage());
    } catch (IOException e) {
      throw new AssertionError("reading an array", e);
    }
  }

  private static CacheHeader parse(JsonNode root) {
    int tokens = number(root, "tokens", 0);
    List<KvLayout.Layer> layers = new ArrayList<>();
    List<Span> spans = new ArrayList<>();
    for (JsonNode node : field(root, "layers")) {
      layers.add(
          new KvLayout.Layer(
              number(node, "kvHeads", 1), number(node, "headDim", 1), number(node, "window", 0)));
      spans.add(new Span(number(node, "start", 0), number(node, "length", 0)));
    }
    return new CacheHeader(
        new AgentId(text(root, "agent")),
        new ModelTag(text(root, "model"), text(root, "fingerprint")),
        Instant.parse(text(root, "parked")),
        KvPrecision.valueOf(text(root, "precision")),
        tokens,
        new KvLayout(layers),
        spans,
        number(root, "blockBytes", LEAST_BLOCK));
  }

  private static JsonNode field(JsonNode node, String name) {
    JsonNode found = node.get(name);
    if (found == null) {
      throw new IllegalArgumentException("'" + name + "' is missing");
    }
    return found;
  }

  private static String text(JsonNode node, String name) {
    JsonNode found = field(node, name);
    if (!found.isTextual()) {
      throw new IllegalArgumentException("'" + name + "' is no text");
    }
    return found.textValue();
  }

  private static int number(JsonNode node, String name, int least) {
    JsonNode found = field(node, name);
    if (!found.isInt() || found.intValue() < least) {
      throw new IllegalArgumentException(
          "'%s' must be a number from %d; it is %s".formatted(name, least, found));
    }
    return found.intValue();
  }
}
