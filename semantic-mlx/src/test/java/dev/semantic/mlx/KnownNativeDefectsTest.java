package dev.semantic.mlx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What others hit on MLX and no test can run into safely: seen in the code. */
class KnownNativeDefectsTest {
  /** Return codes that nobody looked at became null arrays later (ollama #18052). */
  @Test
  void everyStatusThatMlxReturnsIsLookedAt() throws IOException {
    Path capi = Path.of("src/main/java/dev/semantic/mlx/capi");
    String code;
    try (Stream<Path> files = Files.list(capi)) {
      StringBuilder all = new StringBuilder();
      for (Path file : files.filter(each -> each.toString().endsWith("Calls.java")).toList()) {
        all.append(Files.readString(file));
      }
      code = all.toString();
    }
    List<String> unchecked =
        bound()
            .filter(line -> line.startsWith("int "))
            .map(line -> line.substring(4, line.indexOf('(')))
            .filter(name -> !code.contains("MlxError.check(status, \"" + name + "\")"))
            .toList();
    assertEquals(List.of(), unchecked);
  }

  /** The functions of mlx-c that are linked; a test compares. */
  private static Stream<String> bound() throws IOException {
    try (var in = KnownNativeDefectsTest.class.getResourceAsStream("capi/prototypes.txt")) {
      return new String(Objects.requireNonNull(in).readAllBytes(), StandardCharsets.UTF_8).lines();
    }
  }

  /**
   * {@code clear_cache} with buffers in flight and a wired limit brought macOS kernels down (mlx
   * #3186). Here nothing sets such a limit, and the one place that clears waits for the device.
   */
  @Test
  void nothingIsWiredAndNothingClearedInFlight() throws IOException {
    assertEquals(List.of(), bound().filter(line -> line.contains("wired")).toList());
    JavaClasses classes =
        new ClassFileImporter()
            .withImportOption(new ImportOption.DoNotIncludeTests())
            .importPackages("dev.semantic.mlx");
    JavaClass memory = classes.get(Mlx.Memory.class);
    assertEquals(
        Set.of("releaseCached"),
        classes
            .get("dev.semantic.mlx.capi.RuntimeCalls")
            .getMethod("clearCache")
            .getReferencesToSelf()
            .stream()
            .map(reference -> reference.getOrigin().getName())
            .collect(Collectors.toSet()));
    List<String> steps =
        memory.getMethod("releaseCached").getAccessesFromSelf().stream()
            .sorted(Comparator.comparingInt(access -> access.getLineNumber()))
            .map(access -> access.getTarget().getName())
            .toList();
    assertTrue(steps.indexOf("synchronize") >= 0, steps::toString);
    assertTrue(steps.indexOf("synchronize") < steps.indexOf("clearCache"), steps::toString);
  }
}
