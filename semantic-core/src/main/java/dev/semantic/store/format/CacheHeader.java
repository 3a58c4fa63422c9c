package dev.semantic.store.format;

import static dev.semantic.store.format.HeaderFields.checked;
import static dev.semantic.store.format.HeaderFields.field;
import static dev.semantic.store.format.HeaderFields.flag;
import static dev.semantic.store.format.HeaderFields.number;
import static dev.semantic.store.format.HeaderFields.text;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.semantic.kv.AgentId;
import dev.semantic.kv.BlockName;
import dev.semantic.kv.KvEncoding;
import dev.semantic.kv.KvSnapshot;
import dev.semantic.kv.KvSnapshotHeader;
import dev.semantic.model.KvLayout;
import dev.semantic.model.KvPrecision;
import dev.semantic.model.ModelTag;
import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * What a cache file says about itself, and so where everything in it lies. The form on disk is JSON
 * in ASCII; {@code docs/cache-format.md} describes it.
 *
 * @param content whose numbers these are
 * @param precision of the numbers in memory
 * @param encoding of the numbers in this file
 * @param tokens how many tokens the cache was computed from
 * @param spans which of them each layer has in this file
 * @param blockBytes every section has one checksum per so many bytes
 */
public record CacheHeader(
    Content content,
    ModelTag tag,
    Instant parked,
    KvPrecision precision,
    KvEncoding encoding,
    int tokens,
    KvLayout layout,
    List<Span> spans,
    int blockBytes) {

  static final int LEAST_BLOCK = 64;

  /** More than any model has; a header could promise any number of layers in a few bytes. */
  private static final int MOST_LAYERS = 4096;

  /** The tokens that one layer holds. */
  public record Span(int start, int length) {
    int end() {
      return start + length;
    }
  }

  /** What kind of file it is. */
  sealed interface Content {}

  /**
   * An agent's own file: all its token ids, and the keys and values that no block holds.
   *
   * @param blocks where the rest is, for the layers with full attention, from the first token on
   * @param seams as in {@link KvSnapshot}
   * @param imported as in {@link KvSnapshot}
   */
  public record Agent(AgentId id, List<BlockName> blocks, List<Integer> seams, boolean imported)
      implements Content {
    public Agent {
      blocks = List.copyOf(blocks);
      seams = List.copyOf(seams);
    }
  }

  /**
   * A block that any number of agents' files refer to.
   *
   * @param from position of its first token
   */
  record Block(BlockName name, int from) implements Content {}

  public CacheHeader {
    spans = List.copyOf(spans);
  }

  /** Position of the first token whose id is in this file. */
  int firstId() {
    return content instanceof Block block ? block.from() : 0;
  }

  public Agent agent() throws CacheFileException {
    if (content instanceof Agent agent) {
      return agent;
    }
    throw new CacheFileException(
        CacheFileException.Kind.MISPLACED, "it is a block, not an agent's cache");
  }

  /** An agent's file, for a snapshot whose first tokens are in {@code blocks}. */
  public static CacheHeader agent(
      AgentId id,
      KvSnapshot snapshot,
      KvEncoding encoding,
      List<BlockName> blocks,
      int from,
      Instant now,
      int bytes) {
    return agent(id, KvSnapshotHeader.of(snapshot), encoding, blocks, from, now, bytes);
  }

  public static CacheHeader agent(
      AgentId id,
      KvSnapshotHeader header,
      KvEncoding encoding,
      List<BlockName> blocks,
      int from,
      Instant now,
      int bytes) {
    List<Span> spans = new ArrayList<>();
    int tokens = header.tokens().length;
    for (int i = 0; i < header.starts().size(); i++) {
      boolean full = header.layout().layers().get(i).window() == 0;
      int start = full ? from : header.starts().get(i);
      spans.add(new Span(start, tokens - start));
    }
    return new CacheHeader(
        new Agent(id, blocks, header.seams(), header.imported()),
        header.tag(),
        now,
        header.precision(),
        encoding,
        tokens,
        header.layout(),
        spans,
        bytes);
  }

  /** The file of the block of {@code snapshot}'s tokens {@code from} to {@code to}. */
  public static CacheHeader block(
      BlockName name,
      KvSnapshot snapshot,
      KvEncoding encoding,
      int from,
      int to,
      Instant now,
      int bytes) {
    List<Span> spans =
        snapshot.layout().layers().stream()
            .map(layer -> layer.window() == 0 ? new Span(from, to - from) : new Span(to, 0))
            .toList();
    return new CacheHeader(
        new Block(name, from),
        snapshot.tag(),
        now,
        snapshot.precision(),
        encoding,
        to,
        snapshot.layout(),
        spans,
        bytes);
  }

  /** Bytes of one token's keys, or values, in one head of a layer, in this file. */
  int rowBytes(int layer) {
    return QuantizedRows.bytes(encoding, precision, layout.layers().get(layer).headDim());
  }

  /**
   * As it is written.
   *
   * @param offset where it comes to lie
   */
  byte[] toJson(int offset) throws IOException {
    ObjectNode root = HeaderFields.object();
    if (content instanceof Agent agent) {
      root.put("agent", agent.id().name());
      ArrayNode blocks = root.putArray("blocks");
      agent.blocks().forEach(block -> blocks.add(block.toString()));
      ArrayNode seams = root.putArray("seams");
      agent.seams().forEach(seams::add);
      if (agent.imported()) {
        root.put("imported", true);
      }
    } else if (content instanceof Block block) {
      root.put("block", block.name().toString()).put("from", block.from());
    }
    root.put("model", tag.model());
    root.put("fingerprint", tag.fingerprint());
    root.put("parked", parked.toString());
    root.put("precision", precision.name());
    root.put("encoding", encoding.name());
    root.put("tokens", tokens);
    root.put("blockBytes", blockBytes);
    ArrayNode layers = root.putArray("layers");
    for (int i = 0, count; i < spans.size(); i += count) {
      count = alike(i);
      KvLayout.Layer layer = layout.layers().get(i);
      ObjectNode node = layers.addObject();
      node.put("count", count);
      node.put("kvHeads", layer.kvHeads());
      node.put("headDim", layer.headDim());
      node.put("window", layer.window());
      node.put("start", spans.get(i).start());
      node.put("length", spans.get(i).length());
    }
    return HeaderFields.write(root, offset);
  }

  /** How many layers from this one on are like it. */
  private int alike(int first) {
    int end = first + 1;
    while (end < spans.size()
        && layout.layers().get(end).equals(layout.layers().get(first))
        && spans.get(end).equals(spans.get(first))) {
      end++;
    }
    return end - first;
  }

  public static CacheHeader parse(JsonNode root) {
    int tokens = number(root, "tokens", 0);
    List<KvLayout.Layer> layers = new ArrayList<>();
    List<Span> spans = new ArrayList<>();
    for (JsonNode node : field(root, "layers")) {
      KvLayout.Layer layer =
          new KvLayout.Layer(
              number(node, "kvHeads", 1), number(node, "headDim", 1), number(node, "window", 0));
      Span span = new Span(number(node, "start", 0), number(node, "length", 0));
      int count = number(node, "count", 1);
      if (count > MOST_LAYERS - layers.size()) {
        throw new IllegalArgumentException("there are more than %d layers".formatted(MOST_LAYERS));
      }
      layers.addAll(Collections.nCopies(count, layer));
      spans.addAll(Collections.nCopies(count, span));
    }
    return new CacheHeader(
        content(root),
        new ModelTag(text(root, "model"), text(root, "fingerprint")),
        Instant.parse(text(root, "parked")),
        KvPrecision.valueOf(text(root, "precision")),
        KvEncoding.valueOf(text(root, "encoding")),
        tokens,
        new KvLayout(layers),
        spans,
        number(root, "blockBytes", LEAST_BLOCK));
  }

  private static Content content(JsonNode root) {
    if (root.has("block")) {
      return new Block(BlockName.parse(text(root, "block")), number(root, "from", 0));
    }
    List<BlockName> blocks = new ArrayList<>();
    for (JsonNode name : field(root, "blocks")) {
      blocks.add(BlockName.parse(name.asText()));
    }
    List<Integer> seams = new ArrayList<>();
    for (JsonNode seam : field(root, "seams")) {
      seams.add(checked(seam, "seams", 1));
    }
    return new Agent(new AgentId(text(root, "agent")), blocks, seams, flag(root, "imported"));
  }
}
