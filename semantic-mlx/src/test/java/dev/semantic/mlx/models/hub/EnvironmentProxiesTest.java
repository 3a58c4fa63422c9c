package dev.semantic.mlx.models.hub;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.ProxySelector;
import java.net.URI;
import java.nio.file.Files;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class EnvironmentProxiesTest extends HubTest {
  private static String proxy(Map<String, String> environment, String uri) {
    Proxy proxy =
        new EnvironmentProxies(environment, ProxySelector.of(null))
            .select(URI.create(uri))
            .getFirst();
    return proxy.address() instanceof InetSocketAddress address
        ? address.getHostString() + ":" + address.getPort()
        : "none";
  }

  @ParameterizedTest
  @CsvSource({
    "https_proxy, http://p:3128, p:3128",
    "HTTPS_PROXY, http://user:word@p:3128/, p:3128",
    "https_proxy, p:3128, p:3128",
    "https_proxy, http://p, p:80",
    "all_proxy, http://p:1, p:1",
    "http_proxy, http://p:3128, none",
    "https_proxy, socks5://p:3128, none",
    "https_proxy, '::', none",
    "https_proxy, ' ', none"
  })
  void theEnvironmentNamesTheProxy(String name, String value, String expected) {
    assertEquals(expected, proxy(Map.of(name, value), "https://huggingface.co/x"));
  }

  @ParameterizedTest
  @CsvSource({
    "hub.example, none",
    ".example, none",
    "*.example, none",
    "'a, hub.example:443', none",
    "*, none",
    "ub.example, p:1",
    "other, p:1",
    "'', p:1"
  })
  void someHostsAreExempt(String exempt, String expected) {
    assertEquals(
        expected, proxy(Map.of("all_proxy", "p:1", "no_proxy", exempt), "https://Hub.example/"));
  }

  @Test
  void javasOwnPropertiesComeFirst() {
    ProxySelector own = ProxySelector.of(InetSocketAddress.createUnresolved("own", 1));
    Proxy chosen =
        new EnvironmentProxies(Map.of("http_proxy", "p:1"), own)
            .select(URI.create("http://a/"))
            .getFirst();
    assertTrue(chosen.toString().contains("own"), chosen::toString);
  }

  /** Nobody knows the host but the proxy, which is the hub itself. */
  @Test
  void aHubBehindAProxyIsFetchedFrom() throws Exception {
    hub.file("README.md", "a card");
    hub.file("config.json", "{}");
    hub.file("tokenizer.json", "{}");
    hub.file("model.safetensors", "weights");
    String proxy = "localhost:" + hub.address().getPort();
    RetryPolicy retryPolicy =
        new RetryPolicy(1, Duration.ZERO, Duration.ZERO, Duration.ofSeconds(20), slept::add);
    HubFetch fetch =
        new HubFetch(
            URI.create("http://hub.invalid"),
            Optional.empty(),
            cache,
            new EnvironmentProxies(Map.of("http_proxy", proxy), ProxySelector.of(null)),
            retryPolicy);
    assertTrue(
        Files.exists(
            fetch.fetch(HubRepo.parse("org/model").orElseThrow(), meter).resolve("config.json")));
  }
}
