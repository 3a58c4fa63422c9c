package dev.semantic.mlx.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.semantic.generate.ChatMessage;
import java.lang.reflect.Proxy;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class SharedCodecTest {
  private final AtomicInteger closed = new AtomicInteger();
  private final CountDownLatch reached = new CountDownLatch(1);
  private final CountDownLatch released = new CountDownLatch(1);
  private final SharedCodec codec = new SharedCodec(slow());

  /** Its tokens take until they are released. */
  private ChatTokenizer slow() {
    return (ChatTokenizer)
        Proxy.newProxyInstance(
            ChatTokenizer.class.getClassLoader(),
            new Class<?>[] {ChatTokenizer.class},
            (proxy, method, arguments) ->
                switch (method.getName()) {
                  case "encode" -> {
                    reached.countDown();
                    released.await(20, TimeUnit.SECONDS);
                    yield new int[] {closed.get()};
                  }
                  case "close" -> closed.incrementAndGet();
                  default -> throw new UnsupportedOperationException(method.getName());
                });
  }

  @Test
  void whoIsStillAtWorkClosesItAfterwards() throws Exception {
    var tokens = CompletableFuture.supplyAsync(() -> codec.encode("a", false));
    reached.await(20, TimeUnit.SECONDS);
    codec.close();
    codec.close();
    assertEquals(0, closed.get(), "closed under whoever uses it");
    assertThrows(IllegalStateException.class, () -> codec.encode("b", false));
    assertThrows(
        IllegalStateException.class, () -> codec.encodeChat(List.of(ChatMessage.user("b"))));
    released.countDown();
    assertArrayEquals(new int[] {0}, tokens.get(20, TimeUnit.SECONDS));
    assertEquals(1, closed.get());
  }

  @Test
  void whereNobodyUsesItItIsClosedAtOnce() {
    codec.close();
    codec.close();
    assertEquals(1, closed.get());
  }
}
