package dev.semantic.kv;

import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What identifies a block of keys and values on disk, and names its file.
 *
 * @param chain hash over all tokens up to the block's end and the model that computed it: 32
 *     hexadecimal digits, see {@link PrefixHashChain}
 * @param content hash over the numbers themselves: 16 hexadecimal digits. The same tokens prefilled
 *     in other chunks differ in the last bits; an agent continues with exactly those that it had.
 */
public record BlockName(String chain, String content) {
  static final String SUFFIX = ".kvb";
  private static final Pattern FORM = Pattern.compile("([0-9a-f]{32})-([0-9a-f]{16})");

  public BlockName {
    if (!FORM.matcher(chain + "-" + content).matches()) {
      throw new IllegalArgumentException("Not a block's name: '%s-%s'".formatted(chain, content));
    }
  }

  public static BlockName parse(String text) {
    Matcher matcher = FORM.matcher(text);
    if (!matcher.matches()) {
      throw new IllegalArgumentException("Not a block's name: '" + text + "'");
    }
    return new BlockName(matcher.group(1), matcher.group(2));
  }

  /** Whether a file is called as a block is. */
  public static boolean isBlock(Path file) {
    String name = String.valueOf(file.getFileName());
    return name.endsWith(SUFFIX)
        && FORM.matcher(name.substring(0, name.length() - SUFFIX.length())).matches();
  }

  /** The block whose file this is. */
  public static BlockName of(Path file) {
    String name = String.valueOf(file.getFileName());
    return parse(name.substring(0, Math.max(0, name.length() - SUFFIX.length())));
  }

  public String file() {
    return this + SUFFIX;
  }

  @Override
  public String toString() {
    return chain + "-" + content;
  }
}
