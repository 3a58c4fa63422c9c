package dev.semantic.mlx.testing;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.semantic.mlx.array.LiveHandles;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;

/** Fails a test that leaves native arrays behind. */
final class HandlesBack implements BeforeEachCallback, AfterEachCallback {
  private static final Namespace OURS = Namespace.create(HandlesBack.class);

  @Override
  public void beforeEach(ExtensionContext context) {
    context.getStore(OURS).put("before", LiveHandles.count());
  }

  @Override
  public void afterEach(ExtensionContext context) {
    Long before = context.getStore(OURS).get("before", Long.class);
    assertEquals(before, LiveHandles.count(), () -> "live arrays before and after" + births());
  }

  private static String births() {
    List<Throwable> births = LiveHandles.births();
    if (births.isEmpty()) {
      return "; -Dsemantic.mlx.births=true tells where they were made";
    }
    return births.stream()
        .flatMap(birth -> List.of(birth.getStackTrace()).stream().limit(8))
        .map(Object::toString)
        .collect(Collectors.joining("\n  at ", ", made\n  at ", ""));
  }
}
