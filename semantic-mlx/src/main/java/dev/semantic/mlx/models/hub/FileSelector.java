package dev.semantic.mlx.models.hub;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.semantic.mlx.files.JsonText;
import dev.semantic.mlx.files.SplitName;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Which files of a repository a model needs: a GGUF file, or MLX's layout, whose weights may be
 * named by an index that has to be read first. With either come licence and model card.
 */
final class FileSelector {
  static final String CONFIG = "config.json";
  static final String TOKENIZER = "tokenizer.json";
  static final String INDEX = "model.safetensors.index.json";
  private static final String SINGLE = "model.safetensors";

  private static final Set<String> BESIDES =
      Set.of(
          CONFIG,
          TOKENIZER,
          INDEX,
          "generation_config.json",
          "tokenizer_config.json",
          "special_tokens_map.json",
          "added_tokens.json",
          "chat_template.json",
          "chat_template.jinja",
          "tokenizer.model",
          "vocab.json",
          "merges.txt");

  private static final Pattern ABOUT =
      Pattern.compile("(README|LICEN[CS]E|NOTICE|USE_POLICY)[\\w-]*(\\.\\w+)?");
  private static final int SHOWN = 12;

  /** What is read whole, and by whom; more of it no model has. */
  private static final long LARGEST_TOKENIZER = 512L << 20;

  private static final long LARGEST_BESIDES = 64L << 20;
  private static final ObjectMapper INDEXES = new ObjectMapper(JsonText.WHOLE);

  private final Listing listing;
  private final List<RemoteFile> files;
  private final Optional<RemoteFile> index;

  private FileSelector(Listing listing, List<RemoteFile> files, Optional<RemoteFile> index) {
    this.listing = listing;
    this.files = List.copyOf(files);
    this.index = index;
  }

  /**
   * Chooses.
   *
   * @throws HubException if there is nothing that could be loaded, or too much; lists what there is
   */
  static FileSelector of(Listing listing) throws HubException {
    return listing.repo().choice().isEmpty() && has(listing, CONFIG) && hasSafetensors(listing)
        ? layout(listing)
        : gguf(listing);
  }

  /** The index that must be read before the weights are known. */
  Optional<RemoteFile> index() {
    return index;
  }

  List<RemoteFile> files() {
    return files;
  }

  /** With the weights that the index, which is here now, names. */
  FileSelector with(Path indexFile) throws IOException {
    List<RemoteFile> all = new ArrayList<>(files);
    for (String name : shards(indexFile)) {
      all.add(
          find(listing, name)
              .orElseThrow(
                  () ->
                      HubException.lasting(
                          "%s is not whole: its index names %s, which the repository has not"
                              .formatted(listing.repo(), name))));
    }
    return new FileSelector(listing, all, Optional.empty());
  }

  /** The weight files that an index names. */
  static Set<String> shards(Path indexFile) throws IOException {
    try {
      JsonNode map = INDEXES.readTree(bytes(indexFile)).path("weight_map");
      Set<String> names = new TreeSet<>();
      map.forEach(name -> names.add(name.asText()));
      if (names.isEmpty() || !names.stream().allMatch(FileSelector::isShard)) {
        throw HubException.lasting(indexFile + " names no weight files beside it");
      }
      return names;
    } catch (JsonProcessingException e) {
      throw HubException.lasting(indexFile + " is damaged: " + e.getOriginalMessage(), e);
    }
  }

  private static byte[] bytes(Path index) throws IOException {
    try (InputStream in = Files.newInputStream(index)) {
      byte[] read = in.readNBytes((int) LARGEST_BESIDES + 1);
      if (read.length > LARGEST_BESIDES) {
        throw HubException.lasting(index + " is larger than an index can be");
      }
      return read;
    }
  }

  /** A size that cannot be true is refused before anything is fetched or laid out. */
  private static void requireUsual(Listing listing, List<RemoteFile> files) throws HubException {
    for (RemoteFile file : files) {
      boolean tokenizer = file.path().equals(TOKENIZER) || file.path().equals("tokenizer.model");
      long most = tokenizer ? LARGEST_TOKENIZER : LARGEST_BESIDES;
      if (file.sizeBytes() > most) {
        throw HubException.lasting(
            "%s of %s has %d bytes, more than the %d that such a file may have"
                .formatted(file.path(), listing.repo(), file.sizeBytes(), most));
      }
    }
  }

  private static boolean isShard(String name) {
    return !name.startsWith("._")
        && HubRepo.isPlain(name)
        && !name.contains("/")
        && name.endsWith(".safetensors");
  }

  private static FileSelector layout(Listing listing) throws HubException {
    if (!has(listing, TOKENIZER)) {
      throw HubException.lasting(
          "%s has no %s, without which a model understands no text; it has %s"
              .formatted(listing.repo(), TOKENIZER, shown(listing, file -> true)));
    }
    List<RemoteFile> files = new ArrayList<>(about(listing));
    listing.files().stream().filter(file -> BESIDES.contains(file.path())).forEach(files::add);
    requireUsual(listing, files);
    Optional<RemoteFile> index = find(listing, INDEX);
    if (index.isEmpty()) {
      files.addAll(weights(listing));
    }
    return new FileSelector(listing, files, index);
  }

  private static List<RemoteFile> weights(Listing listing) {
    return find(listing, SINGLE)
        .map(List::of)
        .orElseGet(() -> listing.files().stream().filter(file -> isShard(file.path())).toList());
  }

  private static FileSelector gguf(Listing listing) throws HubException {
    String choice = listing.repo().choice().toLowerCase(Locale.ROOT);
    List<RemoteFile> all = listing.files().stream().filter(file -> isModel(file.path())).toList();
    List<RemoteFile> exact =
        all.stream().filter(f -> f.path().toLowerCase(Locale.ROOT).equals(choice)).toList();
    List<RemoteFile> fitting =
        exact.isEmpty()
            ? all.stream().filter(f -> f.path().toLowerCase(Locale.ROOT).contains(choice)).toList()
            : exact;
    if (all.isEmpty()) {
      throw HubException.lasting(
          "%s has no model that can be loaded: neither a .gguf file nor %s with .safetensors; it has %s"
              .formatted(listing.repo(), CONFIG, shown(listing, file -> true)));
    }
    if (fitting.size() != 1) {
      String example = all.getFirst().path();
      throw HubException.lasting(
          "%s has %d .gguf files%s; name one, for example %s:%s. It has %s"
              .formatted(
                  listing.repo(),
                  fitting.size(),
                  choice.isEmpty() ? "" : " with " + choice + " in their names",
                  listing.repo().id(),
                  example,
                  shown(listing, all::contains)));
    }
    List<RemoteFile> files = new ArrayList<>(about(listing));
    requireUsual(listing, files);
    files.addAll(parts(listing, fitting.getFirst()));
    return new FileSelector(listing, files, Optional.empty());
  }

  /** A GGUF file, or all parts of one that was split. */
  private static List<RemoteFile> parts(Listing listing, RemoteFile first) throws HubException {
    Optional<SplitName> split = SplitName.of(first.path());
    if (split.isEmpty()) {
      return List.of(first);
    }
    List<RemoteFile> parts = new ArrayList<>();
    for (String name : split.get().all()) {
      parts.add(
          find(listing, name)
              .orElseThrow(
                  () ->
                      HubException.lasting(
                          "%s has %s of a model that was split, and not %s"
                              .formatted(listing.repo(), first.path(), name))));
    }
    return parts;
  }

  /** The eyes of a multimodal model lie beside it, and are none by themselves. */
  private static boolean isModel(String path) {
    return path.matches("[^/]+\\.gguf")
        && !path.startsWith("mmproj")
        && !path.startsWith("._")
        && SplitName.of(path).map(SplitName::isFirst).orElse(true);
  }

  private static List<RemoteFile> about(Listing listing) {
    return listing.files().stream().filter(f -> ABOUT.matcher(f.path()).matches()).toList();
  }

  private static boolean hasSafetensors(Listing listing) {
    return listing.files().stream().anyMatch(file -> isShard(file.path()));
  }

  private static boolean has(Listing listing, String name) {
    return find(listing, name).isPresent();
  }

  private static Optional<RemoteFile> find(Listing listing, String name) {
    return listing.files().stream().filter(file -> file.path().equals(name)).findFirst();
  }

  private static String shown(Listing listing, Predicate<RemoteFile> which) {
    List<String> names = listing.files().stream().filter(which).map(RemoteFile::path).toList();
    Stream<String> shown = names.stream().limit(SHOWN);
    String list = String.join(", ", shown.toList());
    int more = names.size() - SHOWN;
    return names.isEmpty() ? "no files" : more > 0 ? list + " and " + more + " more" : list;
  }
}
