package dev.semantic;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.registry.ModelRegistry;
import java.io.IOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassModel;
import java.lang.classfile.CodeElement;
import java.lang.classfile.MethodModel;
import java.lang.classfile.instruction.InvokeDynamicInstruction;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Code whose linking may fail for want of memory, and then fails for ever (JVMS 5.4.3). */
class LinkedCodeTest {
  private static final String TEXTS = "StringConcatFactory";
  private static final String PATTERNS = "SwitchBootstraps";

  /** What ends everybody's wait when something has failed: no call site of any kind. */
  private static final Map<String, Set<String>> LAST_WORDS =
      Map.of(
          "timeline/ThreadFrame", Set.of("run", "insist", "here", "rounds", "once", "within"),
          "timeline/ThreadFrame$Once", Set.of("round", "failed", "ended"),
          "timeline/MemoryRetry", Set.of("run", "rest"),
          "timeline/Latch", Set.of("open", "await"),
          "engine/Scheduler", Set.of("failed", "ended", "endWhatIsLeft", "endAll"),
          "engine/ModelRunner", Set.of("failAll", "fail", "close"),
          "engine/EngineState", Set.of("failRunning", "failUnlessClosed", "sendAway"),
          "engine/RequestQueue", Set.of("failAll", "fail", "endPreempted"),
          "engine/KvLoader", Set.of("takeAll", "take", "stopPrefetch"),
          "engine/Watchdog", Set.of("failed", "endOverdue", "left"));

  @Test
  void noTextIsPutTogetherByACallSiteThatHasToBeLinked() throws Exception {
    assertEquals(List.of(), linking(TEXTS));
  }

  /** The JDK wraps what it had no memory for in another exception, which the JVM remembers. */
  @Test
  void noSwitchOverPatternsHasToBeLinked() throws Exception {
    assertEquals(List.of(), linking(PATTERNS));
  }

  @Test
  void whatEndsEverybodysWaitHasNothingToBeLinked() throws Exception {
    List<String> all = linking("");
    List<String> methods = new ArrayList<>();
    for (Path file : classes()) {
      ClassModel type = ClassFile.of().parse(file);
      type.methods().forEach(method -> methods.add(name(type, method)));
    }
    LAST_WORDS.forEach(
        (type, names) ->
            names.forEach(
                name -> {
                  String method = "dev/semantic/" + type + "." + name;
                  assertTrue(methods.contains(method), () -> "there is no " + method);
                  assertFalse(all.contains(method), () -> method + " has a call site");
                }));
  }

  /** The methods with a call site that is linked by such a method of the JDK. */
  private static List<String> linking(String bootstrap) throws Exception {
    List<String> found = new ArrayList<>();
    int read = 0;
    for (Path file : classes()) {
      ClassModel type = ClassFile.of().parse(file);
      for (MethodModel method : type.methods()) {
        if (method.code().isPresent() && links(method, bootstrap)) {
          found.add(name(type, method));
        }
      }
      read++;
    }
    assertTrue(read > 200, "only " + read + " classes were read");
    return found;
  }

  private static String name(ClassModel type, MethodModel method) {
    return type.thisClass().asInternalName() + "." + method.methodName().stringValue();
  }

  private static boolean links(MethodModel method, String bootstrap) {
    for (CodeElement each : method.code().orElseThrow()) {
      if (each instanceof InvokeDynamicInstruction call
          && call.bootstrapMethod().owner().descriptorString().contains(bootstrap)) {
        return true;
      }
    }
    return false;
  }

  private static List<Path> classes() throws IOException, URISyntaxException {
    Path root =
        Path.of(ModelRegistry.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    try (Stream<Path> files = Files.walk(root)) {
      return files.filter(file -> file.toString().endsWith(".class")).toList();
    }
  }
}
