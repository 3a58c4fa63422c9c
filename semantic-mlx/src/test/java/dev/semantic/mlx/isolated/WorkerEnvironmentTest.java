package dev.semantic.mlx.isolated;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** The host's secrets stay with the host. */
class WorkerEnvironmentTest {
  @Test
  void noSecretGoesOn() {
    Map<String, String> environment = new HashMap<>();
    List<String> secrets =
        List.of("HF_TOKEN", "HF_TOKEN_PATH", "AWS_SECRET_ACCESS_KEY", "DATABASE_URL", "MY_LC_KEY");
    List<String> needed = List.of("PATH", "SEMANTIC_HOME", "LC_ALL", "OPENBLAS_NUM_THREADS");
    secrets.forEach(name -> environment.put(name, "secret"));
    needed.forEach(name -> environment.put(name, "needed"));
    WorkerEnvironment.keepNeeded(environment);
    assertEquals(Set.copyOf(needed), environment.keySet());
  }

  /** Anybody reads a process's arguments. */
  @Test
  void noSettingGoesOnThatIsNotNeeded() {
    System.setProperty("semantic.password", "secret");
    try {
      List<String> options = WorkerEnvironment.properties().toList();
      assertTrue(options.stream().noneMatch(each -> each.contains("secret")), options::toString);
      assertTrue(options.stream().anyMatch(each -> each.startsWith("-Djava.io.tmpdir=")));
    } finally {
      System.clearProperty("semantic.password");
    }
  }
}
