package dev.semantic.store.format;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.semantic.model.ModelTag;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.security.SecureRandom;
import java.time.Instant;
import java.util.HexFormat;
import java.util.Optional;

/**
 * What an encrypted file says openly, in place of its header: whose model it is of and which key
 * opens it. The header follows, encrypted.
 *
 * @param key id of the key
 * @param salt drawn for this file alone, in hexadecimal digits
 * @param headerBytes of the encrypted header, before it was encrypted
 */
record EncryptionHeader(ModelTag tag, Instant parked, String key, String salt, int headerBytes) {
  private static final String CIPHER = "AES-256-GCM";
  private static final int SALT_BYTES = 32;
  private static final SecureRandom RANDOM = new SecureRandom();

  EncryptionHeader {
    if (salt.length() != 2 * SALT_BYTES) {
      throw new IllegalArgumentException("'salt' must have %d digits".formatted(2 * SALT_BYTES));
    }
    if (headerBytes > FileMagic.MOST_HEADER_BYTES) {
      throw new IllegalArgumentException("'headerBytes' is too great: " + headerBytes);
    }
    HexFormat.of().parseHex(salt);
  }

  /** For a new file. */
  static EncryptionHeader around(CacheHeader header, FileKeys key, int headerBytes) {
    byte[] salt = new byte[SALT_BYTES];
    RANDOM.nextBytes(salt);
    return new EncryptionHeader(
        header.tag(), header.parked(), key.id(), HexFormat.of().formatHex(salt), headerBytes);
  }

  /** What a header says, if it is an envelope. */
  static Optional<EncryptionHeader> read(byte[] json) throws CacheFileException {
    return HeaderFields.read(
        json, root -> root.has("cipher") ? Optional.of(parse(root)) : Optional.empty());
  }

  private static EncryptionHeader parse(JsonNode root) {
    if (!HeaderFields.text(root, "cipher").equals(CIPHER)) {
      throw new IllegalArgumentException("unknown cipher " + root.get("cipher"));
    }
    return new EncryptionHeader(
        new ModelTag(HeaderFields.text(root, "model"), HeaderFields.text(root, "fingerprint")),
        Instant.parse(HeaderFields.text(root, "parked")),
        HeaderFields.text(root, "key"),
        HeaderFields.text(root, "salt"),
        HeaderFields.number(root, "headerBytes", 0));
  }

  byte[] toJson() throws IOException {
    ObjectNode root = HeaderFields.object();
    root.put("cipher", CIPHER).put("key", key).put("salt", salt);
    root.put("model", tag.model()).put("fingerprint", tag.fingerprint());
    root.put("parked", parked.toString()).put("headerBytes", headerBytes);
    return HeaderFields.write(root, FileMagic.BYTES);
  }

  /** Opens and seals the rest of the file, of which these are the first bytes. */
  FileCipher cipher(FileKeys with, FileMagic magic, byte[] json) {
    ByteBuffer open = ByteBuffer.allocate(FileMagic.BYTES + json.length);
    return with.cipher(HexFormat.of().parseHex(salt), open.put(magic.toBytes()).put(json).array());
  }

  /** Where the encrypted header ends, and the body begins. */
  long end(int jsonBytes) {
    return FileMagic.BYTES + (long) jsonBytes + headerBytes + FileCipher.TAG_BYTES;
  }
}
