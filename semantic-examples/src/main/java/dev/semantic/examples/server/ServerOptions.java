package dev.semantic.examples.server;

import dev.semantic.examples.server.clients.ModelPolicy;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * How a server is reached, by whom, and what it puts up with.
 *
 * @param host the address that it listens on
 * @param port 0 for any that is free
 * @param adminKey what an admin must show; without, only this machine's programs are admins
 * @param apiKeys one of which a client must show; without, nobody has to show any
 * @param open whether anybody who reaches the machine may be a client, without a key
 * @param policy what becomes of requests that name another model than the one that serves
 * @param aliases other names of models, for clients that know one name only
 * @param maxBody the longest request body, in bytes
 * @param maxWait how long a client's request waits for its turn, or for a swap's end
 */
public record ServerOptions(
    String host,
    int port,
    Optional<String> adminKey,
    List<String> apiKeys,
    boolean open,
    ModelPolicy policy,
    Map<String, String> aliases,
    int maxBody,
    Duration maxWait) {
  /** Of this machine's programs only, on any port. */
  public static final ServerOptions LOCAL =
      new ServerOptions(
          "127.0.0.1",
          0,
          Optional.empty(),
          List.of(),
          false,
          ModelPolicy.REFUSE,
          Map.of(),
          8 * 1024 * 1024,
          Duration.ofSeconds(60));

  /**
   * Checks.
   *
   * @throws IllegalArgumentException if a value makes no sense, or others could use the server
   *     without a key and nobody said that they may
   */
  public ServerOptions {
    apiKeys = List.copyOf(apiKeys);
    aliases = Map.copyOf(aliases);
    if (port < 0 || port > 65_535) {
      throw new IllegalArgumentException("A port is 0 to 65535; it is " + port);
    }
    if (apiKeys.stream().anyMatch(String::isBlank)
        || adminKey.filter(String::isBlank).isPresent()) {
      throw new IllegalArgumentException("A key must not be blank");
    }
    if (!open && apiKeys.isEmpty() && !address(host).isLoopbackAddress()) {
      throw new IllegalArgumentException(
          "Whoever reaches %s could use the models: set API_KEYS, or allow it by --open"
              .formatted(host));
    }
  }

  /** With what keeps others out. */
  public ServerOptions withKeys(Optional<String> admin, List<String> clients) {
    return new ServerOptions(host, port, admin, clients, open, policy, aliases, maxBody, maxWait);
  }

  /** With another way of treating the names of models. */
  public ServerOptions withModels(ModelPolicy value, Map<String, String> names) {
    return new ServerOptions(host, port, adminKey, apiKeys, open, value, names, maxBody, maxWait);
  }

  /** With another longest body. */
  public ServerOptions withMaxBody(int value) {
    return new ServerOptions(host, port, adminKey, apiKeys, open, policy, aliases, value, maxWait);
  }

  /** With another patience. */
  public ServerOptions withMaxWait(Duration value) {
    return new ServerOptions(host, port, adminKey, apiKeys, open, policy, aliases, maxBody, value);
  }

  /** Whether nobody but this machine's programs can reach it. */
  boolean isLocal() {
    return address(host).isLoopbackAddress();
  }

  private static InetAddress address(String host) {
    try {
      return InetAddress.getByName(host);
    } catch (UnknownHostException e) {
      throw new IllegalArgumentException("There is no address " + host, e);
    }
  }
}
