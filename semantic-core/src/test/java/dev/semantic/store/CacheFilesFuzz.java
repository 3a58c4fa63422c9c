package dev.semantic.store;

import static dev.semantic.store.Snapshots.ALPHA;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import dev.semantic.fuzz.FuzzTarget;
import dev.semantic.fuzz.JsonEdits;
import dev.semantic.fuzz.Recipe;
import dev.semantic.kv.AgentId;
import dev.semantic.kv.KvEncoding;
import dev.semantic.model.KvLayout;
import dev.semantic.model.KvLayout.Layer;
import dev.semantic.model.KvPrecision;
import dev.semantic.store.format.CacheFileException;
import dev.semantic.store.format.CacheFormat;
import dev.semantic.store.format.CacheHeader;
import dev.semantic.store.format.FileMagic;
import dev.semantic.store.format.HeaderFields;
import dev.semantic.store.format.SectionTable;
import dev.semantic.store.format.SectionTable.Section;
import dev.semantic.store.format.SnapshotReader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/**
 * Parked caches and exports, whose headers say something else, and whose lengths and checksums say
 * the same. They are read, and imported by a store that has others.
 */
final class CacheFilesFuzz implements FuzzTarget {
  private static final KvLayout LAYOUT =
      new KvLayout(List.of(new Layer(1, 5, 0), new Layer(2, 1, 2)));
  private static final int LARGEST = 1 << 16;

  private final Path directory;
  private final Path input;
  private final DiskCacheStore store;
  private final List<byte[]> good = new ArrayList<>();

  private CacheFilesFuzz(Path directory) throws IOException {
    this.directory = directory;
    this.input = directory.resolve("input.kv");
    CacheFormat form = new CacheFormat(java.time.Clock.systemUTC(), 64, 4);
    for (KvEncoding encoding : KvEncoding.values()) {
      Path home = directory.resolve("home-" + encoding);
      try (DiskCacheStore others = DiskCacheStore.open(home, form.with(encoding))) {
        AgentId anna = new AgentId("anna");
        others.park(anna, Snapshots.plausible(ALPHA, LAYOUT, KvPrecision.FLOAT16, 10, 1));
        CacheView view = CacheView.of(home);
        view.export(view.list().getFirst(), input);
      }
      try (Stream<Path> files = Files.walk(home)) {
        for (Path file : files.filter(f -> f.toString().endsWith(".kv")).sorted().toList()) {
          good.add(Files.readAllBytes(file));
        }
      }
      good.addFirst(Files.readAllBytes(input));
    }
    Path encrypted = directory.resolve("encrypted");
    try (DiskCacheStore sealed =
        DiskCacheStore.open(encrypted, form.with(EncryptedCacheTest.key(1).files()))) {
      sealed.park(
          new AgentId("anna"), Snapshots.plausible(ALPHA, LAYOUT, KvPrecision.FLOAT16, 3, 1));
    }
    try (Stream<Path> files = Files.walk(encrypted)) {
      good.add(Files.readAllBytes(files.filter(f -> f.toString().endsWith(".kv")).findAny().get()));
    }
    this.store = DiskCacheStore.open(directory.resolve("home"), form);
  }

  static FuzzTarget make(Path directory) throws IOException {
    return new CacheFilesFuzz(directory);
  }

  @Override
  public Depth read(Recipe recipe) throws IOException {
    byte[] file = recipe.one(good);
    Files.write(input, recipe.sometimes(8) ? recipe.bent(file) : changed(file, recipe));
    try {
      SnapshotReader.header(input, CacheFormat.usual());
    } catch (IOException e) {
      return Depth.FRONT;
    }
    try {
      AgentId agent = new AgentId("agent " + recipe.below(3));
      CacheImport parcel = CacheImport.of(input).as(agent).withReplacing(true);
      ParkedCache parked = store.importFrom(parcel);
      if (store.load(agent, parked.tag()).isEmpty()) {
        throw new IllegalStateException("What was imported cannot be read: " + parked);
      }
      return Depth.TAKEN;
    } catch (CacheException e) {
      return Depth.INSIDE;
    } finally {
      requireNothingElsewhere();
    }
  }

  private void requireNothingElsewhere() throws IOException {
    try (Stream<Path> all = Files.list(directory)) {
      assertEquals(KvEncoding.values().length + 3, all.count(), "files out of the directory");
    }
  }

  /** With another header, and what follows from it put right. */
  private static byte[] changed(byte[] file, Recipe recipe) throws IOException {
    int length = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).getInt(12);
    byte[] old = Arrays.copyOfRange(file, FileMagic.BYTES, FileMagic.BYTES + length);
    JsonNode header = JsonEdits.edited(JsonEdits.JSON.readTree(old), recipe);
    byte[] json = JsonEdits.JSON.writeValueAsBytes(header);
    byte[] body = Arrays.copyOfRange(file, FileMagic.BYTES + length, file.length);
    return recipe.sometimes(4) ? file(json, body) : file(json, fitting(json, body));
  }

  private static byte[] file(byte[] json, byte[] body) {
    FileMagic magic =
        new FileMagic(FileMagic.VERSION, json.length, FileMagic.checksum(json, json.length));
    ByteBuffer file = ByteBuffer.allocate(FileMagic.BYTES + json.length + body.length);
    return file.put(magic.toBytes()).put(json).put(body).array();
  }

  /** As long as the header wants it, with the checksums that belong to that. */
  private static byte[] fitting(byte[] json, byte[] body) {
    SectionTable sectionTable;
    CacheHeader header;
    long begin = FileMagic.BYTES + (long) json.length;
    try {
      header = HeaderFields.read(json, CacheHeader::parse);
      sectionTable = SectionTable.after(begin, header, false);
    } catch (CacheFileException e) {
      return body;
    }
    if (sectionTable.end() - begin > LARGEST) {
      return body;
    }
    ByteBuffer fitting =
        ByteBuffer.allocate((int) (sectionTable.end() - begin)).order(ByteOrder.LITTLE_ENDIAN);
    fitting.put(body, 0, Math.min(body.length, (int) (sectionTable.table() - begin)));
    fitting.position((int) (sectionTable.table() - begin));
    ByteBuffer sealed =
        ByteBuffer.allocate(FileMagic.BYTES - 4 + 4 * sectionTable.blocks())
            .order(ByteOrder.LITTLE_ENDIAN);
    int crc = FileMagic.checksum(json, json.length);
    sealed.put(new FileMagic(FileMagic.VERSION, json.length, crc).sealed());
    for (Section section : sectionTable.all()) {
      for (int at = 0; at < section.bytes(); at += header.blockBytes()) {
        int from = (int) (section.offset() - begin) + at;
        int count = Math.min(header.blockBytes(), section.bytes() - at);
        byte[] block = Arrays.copyOfRange(fitting.array(), from, from + count);
        int checksum = FileMagic.checksum(block, count);
        fitting.putInt(checksum);
        sealed.putInt(checksum);
      }
    }
    fitting.putInt(FileMagic.checksum(sealed.array(), sealed.position()));
    return fitting.array();
  }

  @Override
  public void close() {
    store.close();
  }
}
