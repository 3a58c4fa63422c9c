package dev.semantic.mlx.checkpoint;

import static dev.semantic.mlx.testing.Refusal.assertRefused;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.mlx.architecture.RopeScaling;
import dev.semantic.model.ModelException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GgufCheckpointTest {
  @TempDir private Path directory = Path.of("");

  private ModelException refused(Path file) {
    return assertThrows(ModelException.class, () -> Checkpoints.open(file).close());
  }

  private void refusedSaying(TinyGguf model, String part) throws IOException {
    String message = String.valueOf(refused(model.write(directory)).getMessage());
    assertTrue(message.contains(part), message);
    assertTrue(message.contains("tiny.gguf"), message);
  }

  @Test
  void aWholeFileIsReadAndItsQueryRowsStandInHuggingFacesOrder() throws IOException {
    try (Checkpoint tiny = Checkpoints.open(new TinyGguf().write(directory))) {
      assertEquals(4, tiny.decoder().layers().getFirst().attention().headDim());
      assertEquals(4, tiny.decoder().vocabularySize());
      float[] q = new float[64];
      tiny.expand("model.layers.0.self_attn.q_proj.weight", 0, 8, q);
      float first = 4 * 8 + 8; // after the embedding and a norm
      int[] rows = new int[8];
      Arrays.setAll(rows, i -> (int) (q[i * 8] - first) / 8);
      assertArrayEquals(new int[] {0, 2, 1, 3, 4, 6, 5, 7}, rows);
    }
  }

  @Test
  void cutShortAnywhereItIsRefused() throws IOException {
    byte[] whole = new TinyGguf().bytes();
    Path file = directory.resolve("cut.gguf");
    for (int length = 0; length < whole.length; length++) {
      Files.write(file, Arrays.copyOf(whole, length));
      refused(file);
    }
  }

  /** A flipped bit of a weight cannot be seen here; one of the header must not do harm. */
  @Test
  void withAnyBitFlippedItIsReadOrRefused() throws IOException {
    byte[] whole = new TinyGguf().bytes();
    Path file = directory.resolve("flipped.gguf");
    int read = 0;
    for (int i = 0; i < whole.length; i++) {
      for (int bit = 0; bit < 8; bit += 3) {
        byte[] flipped = whole.clone();
        flipped[i] ^= (byte) (1 << bit);
        Files.write(file, flipped);
        try (Checkpoint opened = Checkpoints.open(file)) {
          read += opened.tensors().isEmpty() ? 0 : 1;
        } catch (ModelException e) {
          assertTrue(String.valueOf(e.getMessage()).contains("flipped.gguf"), e.getMessage());
        }
      }
    }
    assertTrue(read > 0, "not even a flipped weight was read");
  }

  @Test
  void whatCannotBeIsNamed() throws IOException {
    refusedSaying(
        new TinyGguf().with("general.architecture", "mamba"), "known are gemma2, gemma3, llama");
    refusedSaying(new TinyGguf().with("llama.block_count", 1 << 24), "16777216 layers");
    refusedSaying(new TinyGguf().with("llama.block_count", 2), "blk.1.attn_norm.weight");
    refusedSaying(
        new TinyGguf().with("llama.embedding_length", 16),
        "token_embd.weight in tiny.gguf is [4, 8]");
    refusedSaying(new TinyGguf().without("blk.0.ffn_up.weight"), "blk.0.ffn_up.weight");
    refusedSaying(new TinyGguf().tensor("blk.0.attn_q.bias", 8), "blk.0.attn_q.bias");
    refusedSaying(new TinyGguf().tensor("rope_freqs.weight", 2, 2), "rope_freqs.weight");
  }

  private RopeScaling scaling(TinyGguf model) throws IOException {
    try (Checkpoint tiny = Checkpoints.open(model.write(directory))) {
      return tiny.decoder().layers().getFirst().attention().rotary().scaling();
    }
  }

  /** Linear where nothing is said, by either name of the factor; 0 and 1 are none. */
  @Test
  void positionsAreStretchedAsLlamaCppReadsIt() throws IOException {
    String old = "llama.rope.scale_linear";
    String factor = "llama.rope.scaling.factor";
    String type = "llama.rope.scaling.type";
    RopeScaling four = new RopeScaling.Linear(4);
    assertEquals(four, scaling(new TinyGguf().with(old, 4f)));
    assertEquals(four, scaling(new TinyGguf().with(factor, 4f)));
    assertEquals(four, scaling(new TinyGguf().with(factor, 4f).with(type, "linear")));
    assertEquals(four, scaling(new TinyGguf().with(factor, 4f).with(old, 8f)), "the new one");
    RopeScaling none = new RopeScaling.None();
    assertEquals(none, scaling(new TinyGguf().with(factor, 4f).with(type, "none")));
    assertEquals(none, scaling(new TinyGguf().with(type, "linear")));
    assertEquals(none, scaling(new TinyGguf().with(old, 0f)));
    assertEquals(none, scaling(new TinyGguf().with(old, 1f)));
    TinyGguf yarn = new TinyGguf().with(type, "yarn").with(factor, 4f);
    float magnitude = (float) (0.1 * Math.log(4) + 1);
    assertEquals(new RopeScaling.Yarn(4, 32, 32, 1, magnitude), scaling(yarn), "its context");
    yarn.with("llama.rope.scaling.yarn_beta_fast", 16f);
    yarn.with("llama.rope.scaling.yarn_beta_slow", 2f);
    yarn.with("llama.rope.scaling.original_context_length", 8);
    assertEquals(new RopeScaling.Yarn(4, 8, 16, 2, magnitude), scaling(yarn));
    yarn.with("llama.rope.scaling.attn_factor", 0.5f);
    assertEquals(new RopeScaling.Yarn(4, 8, 16, 2, magnitude / 2), scaling(yarn));
    RopeScaling louder = new RopeScaling.Factors(List.of(4f), 1.5f);
    TinyGguf linear = new TinyGguf().with(factor, 4f).with("llama.rope.scaling.attn_factor", 1.5f);
    assertEquals(louder, scaling(linear));
  }

  /**
   * A tool that copies restores size and time; what it can't restore is when the file was changed.
   */
  @Test
  void otherWeightsOfTheSameSizeAndTimeAreAnotherModel() throws IOException {
    Path file = directory.resolve("large.gguf");
    byte[] large = Arrays.copyOf(new TinyGguf().bytes(), 1 << 21);
    Files.write(file, large);
    FileTime time = FileTime.fromMillis(315_532_801_000L);
    Files.setLastModifiedTime(file, time);
    FileIdentity identity = FileIdentity.of(file);
    await().until(() -> identity.isProofSince(Instant.now())); // else it is hashed each time
    byte[] first = fingerprint(file);
    assertArrayEquals(first, fingerprint(file));
    try (Checkpoint before = Checkpoints.open(file)) {
      try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
        channel.write(ByteBuffer.wrap(new byte[] {1}), (1 << 21) - 20_002); // no sample is there
      }
      Files.setLastModifiedTime(file, time);
      assertRefused(ModelException.class, before::verifyUnchanged, "large.gguf", "changed");
    }
    assertFalse(Arrays.equals(first, fingerprint(file)));
  }

  private static byte[] fingerprint(Path file) {
    try (Checkpoint checkpoint = Checkpoints.open(file)) {
      return checkpoint.fingerprint();
    }
  }

  @Test
  void theFirstPartOfASplitModelStandsForAll() throws IOException {
    TinyGguf model = new TinyGguf();
    Path first = model.writeSplit(directory, "blk.0.attn_q.weight", "output_norm.weight");
    byte[] fingerprint;
    try (Checkpoint split = Checkpoints.open(first);
        Checkpoint byDirectory = Checkpoints.open(directory)) {
      assertEquals(first, byDirectory.path());
      assertEquals(11, split.tensors().size());
      float[] norm = new float[8];
      split.expand("model.norm.weight", 0, 1, norm);
      assertEquals(64, norm[0], "of the second file, behind its 64 numbers");
      fingerprint = split.fingerprint();
      split.verifyUnchanged();
      Files.write(directory.resolve("m-00002-of-00002.gguf"), new byte[] {1, 2, 3});
      assertThrows(ModelException.class, split::verifyUnchanged);
    }
    model.writeSplit(directory, "blk.0.attn_k.weight", "output_norm.weight");
    try (Checkpoint other = Checkpoints.open(first)) {
      assertFalse(Arrays.equals(fingerprint, other.fingerprint()));
    }
  }

  @Test
  void partsThatDoNotMakeAModelAreNamed() throws IOException {
    TinyGguf model = new TinyGguf();
    Path first = model.writeSplit(directory, "output_norm.weight");
    Path second = directory.resolve("m-00002-of-00002.gguf");
    byte[] part = Files.readAllBytes(second);
    assertRefused(
        ModelException.class,
        () -> Checkpoints.open(second).close(),
        "part 2 of 2",
        "m-00001-of-00002.gguf");
    Files.delete(second);
    ModelException lacks =
        assertRefused(
            ModelException.class,
            () -> Checkpoints.open(first).close(),
            "part 1 of 2",
            "m-00002-of-00002.gguf is not beside it");
    assertEquals(ModelException.Kind.NOT_FOUND, lacks.kind());
    Files.copy(first, second);
    assertRefused(ModelException.class, () -> Checkpoints.open(first).close(), "another part");
    model.without("output_norm.weight").writeSplit(directory, "blk.0.ffn_up.weight");
    Files.write(second, part);
    assertRefused(ModelException.class, () -> Checkpoints.open(first).close(), "m-00001-of-00002");
    Path renamed = Files.move(first, directory.resolve("half.gguf"));
    assertRefused(
        ModelException.class, () -> Checkpoints.open(renamed).close(), "one part", "half.gguf");
  }

  /** As Finder leaves it on a file system that is not a Mac's. */
  @Test
  void whatMacOsKeepsBesideAModelIsLeftAside() throws IOException {
    Path file = new TinyGguf().write(directory);
    byte[] attributes = {0, 5, 0x16, 7, 0, 2, 0, 0, 'M', 'a', 'c', ' ', 'O', 'S', ' ', 'X'};
    Path beside = Files.write(directory.resolve("._tiny.gguf"), attributes);
    try (Checkpoint tiny = Checkpoints.open(directory)) {
      assertEquals(file, tiny.path());
    }
    assertRefused(ModelException.class, () -> Checkpoints.open(beside).close(), "macOS", "._");
  }

  @Test
  void whatIsNoModelFileIsSaid() throws IOException {
    assertTrue(refused(directory.resolve("none.gguf")).getMessage() != null);
    Path text = Files.writeString(directory.resolve("text.gguf"), "Once upon a time");
    assertTrue(String.valueOf(refused(text).getMessage()).contains("not a GGUF file"));
    Path empty = Files.createFile(directory.resolve("empty.gguf"));
    assertTrue(String.valueOf(refused(empty).getMessage()).contains("is empty"));
    byte[] old = new TinyGguf().bytes();
    old[4] = 1;
    Path version = Files.write(directory.resolve("old.gguf"), old);
    assertTrue(String.valueOf(refused(version).getMessage()).contains("version 1"));
  }

  @Test
  void aFileThatChangesAfterItWasCheckedIsNotLoaded() throws IOException {
    Path file = new TinyGguf().write(directory);
    try (Checkpoint tiny = Checkpoints.open(file)) {
      tiny.verifyUnchanged();
      Files.write(file, new byte[] {1, 2, 3});
      assertThrows(ModelException.class, tiny::verifyUnchanged);
    }
  }
}
