package dev.semantic.log;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;
import org.slf4j.MDC;

/** Whoever says something goes on, whatever the host's logging does with it. */
class LogTest {
  private final Logger backend = (Logger) LoggerFactory.getLogger(LogTest.class);
  private final Log log = Log.of(LogTest.class);
  private final Appender appender = new Appender();

  /** Writes lines down, once it is let. */
  private static final class Appender extends AppenderBase<ILoggingEvent> {
    private final List<String> lines = new CopyOnWriteArrayList<>();
    private final CountDownLatch goOn = new CountDownLatch(1);
    private volatile boolean hangs;

    @Override
    protected void append(ILoggingEvent event) {
      if (hangs) {
        try {
          assertTrue(goOn.await(60, SECONDS), "nobody went on");
        } catch (InterruptedException e) {
          throw new AssertionError(e);
        }
      }
      lines.add(
          "%s %s %s"
              .formatted(
                  event.getThreadName(),
                  event.getMDCPropertyMap().getOrDefault("swap", "-"),
                  event.getFormattedMessage()));
    }
  }

  @BeforeEach
  void listen() {
    backend.setLevel(Level.INFO);
    backend.setAdditive(false);
    appender.start();
    backend.addAppender(appender);
    ((Logger) LoggerFactory.getLogger(HostLogger.class)).setLevel(Level.OFF);
  }

  @AfterEach
  void listenNoMore() {
    appender.goOn.countDown();
    backend.detachAppender(appender);
    backend.setLevel(null);
    backend.setAdditive(true);
    ((Logger) LoggerFactory.getLogger(HostLogger.class)).setLevel(null);
  }

  @Test
  void aLineSaysWhoWroteItAndWhy() {
    String author = Thread.currentThread().getName();
    MDC.put("swap", "s-1");
    try {
      log.info("{} and {}", 1, 2);
      log.debug("nobody reads {}", 3);
    } finally {
      MDC.remove("swap");
    }
    assertEquals(List.of(author + " s-1 1 and 2"), appender.lines);
  }

  @Test
  void aLoggerThatHangsKeepsNobodyAndWritesAgainOnceItHasComeBack() {
    String author = Thread.currentThread().getName();
    appender.hangs = true;
    log.info("first");
    log.info("lost");
    assertEquals(List.of(), appender.lines, "it does not hang");
    appender.hangs = false;
    appender.goOn.countDown();
    await()
        .untilAsserted(
            () -> {
              log.info("again");
              assertTrue(appender.lines.getLast().endsWith(" - again"));
            });
    assertEquals(author + " - first", appender.lines.getFirst());
    assertTrue(appender.lines.stream().noneMatch(line -> line.endsWith("lost")));
  }
}
