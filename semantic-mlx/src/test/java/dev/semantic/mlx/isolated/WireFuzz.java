package dev.semantic.mlx.isolated;

import com.fasterxml.jackson.core.StreamWriteConstraints;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.cbor.CBORFactory;
import com.fasterxml.jackson.dataformat.cbor.databind.CBORMapper;
import dev.semantic.fuzz.FuzzTarget;
import dev.semantic.fuzz.JsonEdits;
import dev.semantic.fuzz.Recipe;
import dev.semantic.kv.KvSnapshot;
import dev.semantic.kv.KvSnapshot.LayerKv;
import dev.semantic.mlx.isolated.FrameCodec.Call;
import dev.semantic.mlx.isolated.FrameCodec.Received;
import dev.semantic.mlx.isolated.FrameCodec.Reply;
import dev.semantic.model.KvLayout;
import dev.semantic.model.KvPrecision;
import dev.semantic.model.ModelException;
import dev.semantic.model.ModelTag;
import dev.semantic.scripted.Geometry;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Frames as a process on the other side of the wire may send them that is no longer ours: headers
 * with other values, parts of other lengths and numbers.
 */
@SuppressWarnings("exports") // for other tests alone, which are in no module
public final class WireFuzz implements FuzzTarget {
  private static final ObjectMapper CBOR =
      new CBORMapper(
          CBORFactory.builder()
              .streamWriteConstraints(
                  StreamWriteConstraints.builder().maxNestingDepth(10_000).build())
              .build());
  private static final ModelTag TAG = new ModelTag("m", "0".repeat(64));

  private final ServerSocketChannel server;
  private final List<JsonNode> replies = new ArrayList<>();
  private final List<JsonNode> calls = new ArrayList<>();
  private final List<ByteBuffer> parts;

  private WireFuzz(Path directory) throws IOException {
    server = ServerSocketChannel.open(java.net.StandardProtocolFamily.UNIX);
    server.bind(UnixDomainSocketAddress.of(directory.resolve("s")));
    KvSnapshot snapshot = snapshot();
    parts = Snapshots.parts(snapshot);
    for (Response response :
        List.of(
            Snapshots.answer(snapshot),
            new Response.Done(),
            new Response.Prepared(Geometry.ALPHA.spec(), List.of(1), true, true, "x", 1, false),
            new Response.Progress(1, 2),
            new Response.Count(7),
            new Response.Text("text"),
            new Response.Tokens(new int[] {1, 2, 3}),
            new Response.Logits(new int[] {4, 0}),
            new Response.Memory(1, 2, 3),
            Response.Failed.of(Response.Kind.MODEL, "no"))) {
      replies.add(CBOR.readTree(CBOR.writeValueAsBytes(new Reply(1, response))));
    }
    for (Request request :
        List.of(
            Snapshots.ask(snapshot),
            new Request.Prepare("m"),
            new Request.Forward(List.of(new Request.Part(1, new int[] {1}, true))),
            new Request.EncodeChat(
                new dev.semantic.generate.Prompt.Chat(
                        List.of(new dev.semantic.generate.ChatMessage("user", "hi")))
                    .fields(),
                ""),
            new Request.Encode("text", true))) {
      calls.add(CBOR.readTree(CBOR.writeValueAsBytes(new Call(1, request))));
    }
  }

  private static KvSnapshot snapshot() {
    LayerKv layer = new LayerKv(0, 2, ByteBuffer.allocate(16), ByteBuffer.allocate(16));
    return new KvSnapshot(
        TAG, KvLayout.uniform(1, 2, 2), KvPrecision.FLOAT16, new int[] {1, 2}, List.of(layer));
  }

  public static FuzzTarget make(Path directory) throws IOException {
    return new WireFuzz(directory);
  }

  @Override
  public Depth read(Recipe recipe) throws IOException {
    boolean reply = recipe.below(2) == 0;
    byte[] frame = frame(recipe, reply);
    try (SocketChannel sender = SocketChannel.open(server.getLocalAddress());
        FrameCodec codec = new FrameCodec(server.accept())) {
      ByteBuffer out = ByteBuffer.wrap(frame);
      while (out.hasRemaining()) {
        sender.write(out);
      }
      sender.shutdownOutput();
      return reply ? reply(codec.receive(Reply.class)) : call(codec.receive(Call.class));
    } catch (IOException | IllegalStateException e) {
      return Depth.FRONT;
    }
  }

  /** As the parent takes it, for whom what is wrong is the child's death. */
  private static Depth reply(Received<Reply> received) {
    try {
      switch (received.header().response()) {
        case Response.State state -> Snapshots.of(state, received.parts());
        case Response.Prepared prepared -> Texts.of(prepared, received.parts());
        case Response.Logits _ -> IsolatedModel.rows(received, 2);
        default -> {}
      }
      return Depth.TAKEN;
    } catch (ModelException e) {
      return Depth.INSIDE;
    }
  }

  /** As the child takes it, which answers with whatever it was. */
  private static Depth call(Received<Call> received) {
    try {
      if (received.header().request() instanceof Request.Restore restore) {
        Snapshots.of(restore, received.parts());
      }
      return Depth.TAKEN;
    } catch (RuntimeException e) {
      return Depth.INSIDE;
    }
  }

  private byte[] frame(Recipe recipe, boolean reply) throws IOException {
    JsonNode good = recipe.one(reply ? replies : calls);
    boolean sameHeader = recipe.sometimes(3);
    byte[] header = CBOR.writeValueAsBytes(sameHeader ? good : JsonEdits.edited(good, recipe));
    boolean state = good.toString().contains("layout");
    List<ByteBuffer> with = new ArrayList<>(state ? parts : List.of());
    if (good.toString().contains("counts")) {
      with.add(ByteBuffer.allocate(16));
      with.add(ByteBuffer.allocate(0));
    }
    if (recipe.sometimes(4)) {
      with.add(ByteBuffer.allocate(recipe.below(40)));
    }
    ByteBuffer frame =
        ByteBuffer.allocate(header.length + 16 + 64 * (with.size() + 1))
            .order(ByteOrder.LITTLE_ENDIAN);
    boolean wrong = recipe.sometimes(4);
    frame.putInt(wrong ? (int) recipe.number(header.length) : header.length);
    frame.putInt(recipe.sometimes(8) ? (int) recipe.number(with.size()) : with.size());
    frame.put(header);
    for (ByteBuffer part : with) {
      frame.putLong(recipe.sometimes(8) ? recipe.number(part.remaining()) : part.remaining());
      frame.put(part.duplicate());
    }
    byte[] bytes = new byte[frame.position()];
    frame.flip().get(bytes);
    return recipe.sometimes(8) ? recipe.bent(bytes) : bytes;
  }

  @Override
  public void close() throws IOException {
    server.close();
  }
}
