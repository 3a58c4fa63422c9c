package dev.semantic.mlx.models.hub;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.ProxySelector;
import java.net.SocketAddress;
import java.net.URI;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The proxy that the environment names, as curl and Python read it: {@code https_proxy}, {@code
 * http_proxy}, {@code all_proxy} and {@code no_proxy}, in small letters or capitals. Java's own
 * properties ({@code -Dhttps.proxyHost}) come first.
 */
public final class EnvironmentProxies extends ProxySelector {
  private static final int USUAL_PORT = 80;

  private final Map<String, String> environment;
  private final ProxySelector properties;

  /**
   * Proxies of an environment, behind those of the properties.
   *
   * @param properties usually {@link ProxySelector#getDefault()}
   */
  public EnvironmentProxies(Map<String, String> environment, ProxySelector properties) {
    this.environment = Map.copyOf(environment);
    this.properties = properties;
  }

  @Override
  public List<Proxy> select(URI uri) {
    List<Proxy> named = properties.select(uri);
    if (named.stream().anyMatch(proxy -> proxy.type() != Proxy.Type.DIRECT)) {
      return named;
    }
    if (isExempt(uri.getHost())) {
      return List.of(Proxy.NO_PROXY);
    }
    return List.of(
        value(uri.getScheme() + "_proxy")
            .or(() -> value("all_proxy"))
            .flatMap(EnvironmentProxies::address)
            .map(address -> new Proxy(Proxy.Type.HTTP, address))
            .orElse(Proxy.NO_PROXY));
  }

  private boolean isExempt(String host) {
    String asked = host.toLowerCase(Locale.ROOT);
    return value("no_proxy").stream()
        .flatMap(list -> Arrays.stream(list.split("[,\\s]+")))
        .map(entry -> entry.toLowerCase(Locale.ROOT).replaceFirst("^\\*?\\.", ""))
        .map(entry -> entry.replaceFirst(":\\d+$", ""))
        .anyMatch(
            entry ->
                entry.equals("*")
                    || asked.equals(entry)
                    || (!entry.isEmpty() && asked.endsWith("." + entry)));
  }

  private Optional<String> value(String name) {
    return Stream.of(name, name.toUpperCase(Locale.ROOT))
        .map(environment::get)
        .filter(value -> value != null && !value.isBlank())
        .map(String::strip)
        .findFirst();
  }

  /** A proxy that cannot be read is none: what it should have been nobody knows. */
  private static Optional<InetSocketAddress> address(String proxy) {
    try {
      URI uri = URI.create(proxy.contains("://") ? proxy : "http://" + proxy);
      if (uri.getHost() == null || !uri.getScheme().startsWith("http")) {
        return Optional.empty();
      }
      int port = uri.getPort() < 0 ? USUAL_PORT : uri.getPort();
      return Optional.of(InetSocketAddress.createUnresolved(uri.getHost(), port));
    } catch (IllegalArgumentException e) {
      return Optional.empty();
    }
  }

  @Override
  public void connectFailed(URI uri, SocketAddress address, IOException failure) {
    properties.connectFailed(uri, address, failure);
  }
}
