package dev.semantic;

import static org.junit.jupiter.api.Assertions.assertEquals;
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
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Code whose linking may fail for want of memory, and then fails for ever (JVMS 5.4.3). */
class LinkedCodeTest {
  private static final String TEXTS = "StringConcatFactory";

  @Test
  void noTextIsPutTogetherByACallSiteThatHasToBeLinked() throws Exception {
    List<String> found = new ArrayList<>();
    int read = 0;
    for (Path file : classes()) {
      ClassModel type = ClassFile.of().parse(file);
      for (MethodModel method : type.methods()) {
        if (method.code().isPresent() && putsTextsTogether(method)) {
          found.add(type.thisClass().asInternalName() + "." + method.methodName().stringValue());
        }
      }
      read++;
    }
    assertTrue(read > 200, "only " + read + " classes were read");
    assertEquals(List.of(), found);
  }

  private static boolean putsTextsTogether(MethodModel method) {
    for (CodeElement each : method.code().orElseThrow()) {
      if (each instanceof InvokeDynamicInstruction call
          && call.bootstrapMethod().owner().descriptorString().contains(TEXTS)) {
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
