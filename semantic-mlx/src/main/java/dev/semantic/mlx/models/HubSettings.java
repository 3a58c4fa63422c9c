package dev.semantic.mlx.models;

import dev.semantic.model.ModelException;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Which model hub is asked, as whom, and where its files are kept. By default what Hugging Face's
 * own tools go by: {@code HF_ENDPOINT}, {@code HF_TOKEN} or the file that {@code hf auth login}
 * writes, {@code HF_HUB_CACHE}, {@code HF_HOME}, {@code HF_HUB_OFFLINE}.
 *
 * @param endpoint without a slash at its end
 * @param cache shared with those tools; need not exist yet
 * @param token goes to {@code endpoint} and nowhere else, and is never shown
 * @param offline whether no connection may be opened
 */
public record HubSettings(URI endpoint, Path cache, Optional<String> token, boolean offline) {
  private static final String USUAL = "https://huggingface.co";
  private static final Set<String> TRUE = Set.of("1", "ON", "YES", "TRUE");
  private static final int LONGEST_TOKEN = 4096;

  public HubSettings {
    if (endpoint.getRawUserInfo() != null) {
      throw new ModelException(
          ModelException.Kind.INVALID,
          "HF_ENDPOINT has a name or a password in it, which would show: a token belongs into"
              + " HF_TOKEN");
    }
    if (endpoint.getHost() == null || !String.valueOf(endpoint.getScheme()).startsWith("http")) {
      throw new ModelException(
          ModelException.Kind.INVALID,
          "HF_ENDPOINT is not a web address: " + shown(endpoint.toString()));
    }
    cache = cache.toAbsolutePath().normalize();
  }

  /** Those of the user who runs this JVM. */
  public static HubSettings ofUser() {
    return of(System.getenv(), System.getProperty("user.home"));
  }

  static HubSettings of(Map<String, String> environment, String userHome) {
    Environment of = new Environment(environment);
    String home = of.value("HOME").orElse(userHome);
    Path base =
        of.path("HF_HOME", home)
            .orElseGet(
                () ->
                    of.path("XDG_CACHE_HOME", home)
                        .orElse(Path.of(home, ".cache"))
                        .resolve("huggingface"));
    Path cache =
        of.path("HF_HUB_CACHE", home)
            .or(() -> of.path("HUGGINGFACE_HUB_CACHE", home))
            .orElse(base.resolve("hub"));
    Optional<String> token =
        of.value("HF_TOKEN")
            .or(() -> of.value("HUGGING_FACE_HUB_TOKEN"))
            .or(() -> read(of.path("HF_TOKEN_PATH", home).orElse(base.resolve("token"))));
    return new HubSettings(
        address(of.value("HF_ENDPOINT").orElse(USUAL)),
        cache,
        of.isTrue("HF_HUB_DISABLE_IMPLICIT_TOKEN") ? Optional.empty() : token,
        of.isTrue("HF_HUB_OFFLINE") || of.isTrue("TRANSFORMERS_OFFLINE"));
  }

  private static URI address(String text) {
    try {
      return URI.create(text.replaceFirst("/+$", ""));
    } catch (IllegalArgumentException e) {
      throw new ModelException( // without the cause, whose message is the whole of it
          ModelException.Kind.INVALID, "HF_ENDPOINT is not a web address: " + shown(text));
    }
  }

  /** Without what stands before an @: it may be a password. */
  private static String shown(String address) {
    return address.substring(address.lastIndexOf('@') + 1);
  }

  private static Optional<String> read(Path file) {
    try {
      return Files.isRegularFile(file) && Files.size(file) <= LONGEST_TOKEN
          ? Optional.of(Files.readString(file).strip()).filter(text -> !text.isEmpty())
          : Optional.empty();
    } catch (IOException e) {
      return Optional.empty(); // as if there were none: what needs it says so
    }
  }

  /** Variables, of which empty ones count as unset. */
  private record Environment(Map<String, String> variables) {
    Optional<String> value(String name) {
      return Optional.ofNullable(variables.get(name))
          .map(String::strip)
          .filter(value -> !value.isEmpty());
    }

    Optional<Path> path(String name, String home) {
      return value(name).map(value -> Path.of(value.replaceFirst("^~(?=/|$)", home)));
    }

    boolean isTrue(String name) {
      return value(name).map(v -> v.toUpperCase(Locale.ROOT)).filter(TRUE::contains).isPresent();
    }
  }

  @Override
  public String toString() {
    return "HubSettings[endpoint=%s, cache=%s, token=%s, offline=%s]"
        .formatted(endpoint, cache, token.isPresent() ? "set" : "none", offline);
  }
}
