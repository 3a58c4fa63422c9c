package dev.semantic.registry;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.scripted.Elsewhere;
import dev.semantic.scripted.Geometry;
import dev.semantic.scripted.PortCall;
import dev.semantic.scripted.Script;
import dev.semantic.scripted.ScriptedHost;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

/** Other calls while the registry is being closed. */
class ClosingTest {
  @Test
  void aCloseCannotBeCalledOff() throws Exception {
    try (ScriptedHost host = ScriptedHost.serving(Geometry.ALPHA)) {
      Script.Hold hold = host.script.hold(PortCall.MODEL_CLOSE);
      CompletableFuture<Boolean> closing = close(host);
      hold.awaitReached();
      assertFalse(host.registry.cancelSwap());
      hold.release();
      closing.get(10, TimeUnit.SECONDS);
    }
  }

  @Test
  void whoeverClosesSecondReturnsWhenTheModelIsGone() throws Exception {
    try (ScriptedHost host = ScriptedHost.serving(Geometry.ALPHA)) {
      Script.Hold hold = host.script.hold(PortCall.MODEL_CLOSE);
      CompletableFuture<Boolean> first = close(host);
      hold.awaitReached();
      AtomicBoolean released = new AtomicBoolean();
      AtomicBoolean returnedAfterThat = new AtomicBoolean();
      Thread second =
          Thread.ofPlatform()
              .daemon()
              .start(
                  () -> {
                    host.registry.close();
                    returnedAfterThat.set(released.get());
                  });
      await().until(() -> second.getState() == Thread.State.WAITING || !second.isAlive());
      released.set(true);
      hold.release();
      second.join(10_000);
      assertTrue(returnedAfterThat.get());
      first.get(10, TimeUnit.SECONDS);
    }
  }

  private static CompletableFuture<Boolean> close(ScriptedHost host) {
    return Elsewhere.call(
        () -> {
          host.registry.close();
          return true;
        });
  }
}
