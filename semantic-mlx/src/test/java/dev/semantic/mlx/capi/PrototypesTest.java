package dev.semantic.mlx.capi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.mlx.testing.RequiresGrammar;
import dev.semantic.mlx.testing.RequiresNatives;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * What Java declares, against the prototypes of mlx-c's headers and of our kernels'. A wrong
 * descriptor need not crash at once: it may read half a register.
 */
class PrototypesTest {
  private static final Pattern PROTOTYPE =
      Pattern.compile("(.+?)\\b((?:_?mlx|semantic|llg)_\\w+)\\((.*)\\);");
  private static final Pattern NAME_OF_PARAMETER = Pattern.compile("\\b\\w+$");
  private static final MemoryLayout NINE_FUNCTIONS =
      MemoryLayout.structLayout(
          Stream.generate(() -> ValueLayout.ADDRESS).limit(9).toArray(MemoryLayout[]::new));
  private static final Pattern JAVADOC =
      Pattern.compile("\\{@code ([^}]*(?:_?mlx|semantic|llg)_\\w+\\([^}]*\\))}");

  /** By the function's name, as the headers write them. */
  private static Map<String, String> prototypes() throws IOException {
    return prototypes("prototypes.txt");
  }

  private static Map<String, String> prototypes(String file) throws IOException {
    Map<String, String> found = new TreeMap<>();
    try (InputStream in = Objects.requireNonNull(PrototypesTest.class.getResourceAsStream(file))) {
      String text = new String(in.readAllBytes(), StandardCharsets.UTF_8);
      text.lines()
          .filter(line -> !line.startsWith("#"))
          .forEach(
              line -> {
                Matcher matcher = PROTOTYPE.matcher(line);
                assertTrue(matcher.matches(), line);
                found.put(matcher.group(2), line);
              });
    }
    return found;
  }

  /** Those of our own kernels, from the header that they are compiled with. */
  private static Map<String, String> kernelPrototypes() throws IOException {
    String header =
        Files.readAllLines(Path.of("src/native/semantic_kernels.h")).stream()
            .filter(line -> !line.startsWith("//") && !line.startsWith("#"))
            .map(String::strip)
            .collect(Collectors.joining(" "))
            .replace("( ", "(");
    Map<String, String> found = new TreeMap<>();
    Matcher matcher = Pattern.compile("SEMANTIC_API ([^;]*;)").matcher(header);
    while (matcher.find()) {
      Matcher prototype = PROTOTYPE.matcher(matcher.group(1));
      assertTrue(prototype.matches(), matcher.group(1));
      found.put(prototype.group(2), matcher.group(1));
    }
    assertTrue(found.containsKey("semantic_quantized_matmul"), found.toString());
    return found;
  }

  private static FunctionDescriptor descriptor(String prototype) {
    Matcher matcher = PROTOTYPE.matcher(prototype);
    assertTrue(matcher.matches(), prototype);
    String list = matcher.group(3);
    MemoryLayout[] parameters =
        list.equals("void")
            ? new MemoryLayout[0]
            : Arrays.stream(list.split(",(?![^(]*\\))", -1))
                .map(p -> layout(p.contains("(*") ? "void*" : typeOf(p.strip())))
                .toArray(MemoryLayout[]::new);
    String result = matcher.group(1).strip();
    return result.equals("void")
        ? FunctionDescriptor.ofVoid(parameters)
        : FunctionDescriptor.of(layout(result), parameters);
  }

  private static String typeOf(String parameter) {
    return NAME_OF_PARAMETER.matcher(parameter).replaceFirst("").strip();
  }

  private static MemoryLayout layout(String type) {
    String plain = type.replace("const ", "").strip();
    if (plain.endsWith("*")) {
      return ValueLayout.ADDRESS;
    }
    return switch (plain) {
      case "int", "int32_t", "mlx_dtype", "mlx_device_type" -> ValueLayout.JAVA_INT;
      case "float" -> ValueLayout.JAVA_FLOAT;
      case "double" -> ValueLayout.JAVA_DOUBLE;
      case "bool" -> ValueLayout.JAVA_BOOLEAN;
      case "mlx_error_handler_func" -> ValueLayout.ADDRESS;
      case "mlx_io_vtable" -> NINE_FUNCTIONS;
      // A size; a struct of one pointer; a struct of a 32-bit number and a bool: one register each.
      case "size_t",
          "mlx_array",
          "mlx_vector_array",
          "mlx_stream",
          "mlx_device",
          "mlx_device_info",
          "mlx_string",
          "mlx_io_reader",
          "mlx_optional_int",
          "mlx_optional_float",
          "mlx_optional_dtype" ->
          ValueLayout.JAVA_LONG;
      default -> throw new AssertionError("What is a " + type + "?");
    };
  }

  @Test
  @RequiresNatives
  void everyDescriptorIsItsPrototypes() throws IOException {
    Symbols.open();
    Map<String, String> prototypes = prototypes();
    if (Symbols.hasKernels()) {
      prototypes.putAll(kernelPrototypes());
    }
    Map<String, FunctionDescriptor> ours = Symbols.descriptors();
    assertEquals(prototypes.keySet(), new TreeMap<>(ours).keySet());
    prototypes.forEach(
        (name, prototype) -> assertEquals(descriptor(prototype), ours.get(name), prototype));
  }

  @Test
  @RequiresGrammar
  @RequiresNatives
  void everyDescriptorOfLlguidanceIsItsPrototypes() throws IOException {
    GrammarLibrary.open();
    Map<String, FunctionDescriptor> ours = GrammarLibrary.descriptors();
    Map<String, String> prototypes = prototypes("grammar-prototypes.txt");
    assertEquals(prototypes.keySet(), new TreeMap<>(ours).keySet());
    prototypes.forEach(
        (name, prototype) -> assertEquals(descriptor(prototype), ours.get(name), prototype));
  }

  @Test
  void everyMethodQuotesItsPrototype() throws IOException {
    Map<String, String> prototypes = prototypes();
    prototypes.putAll(kernelPrototypes());
    prototypes.putAll(prototypes("grammar-prototypes.txt"));
    prototypes.remove("mlx_set_error_handler"); // called once, by no method of its own
    try (Stream<Path> files = Files.list(Path.of("src/main/java/dev/semantic/mlx/capi"))) {
      for (Path file : files.filter(f -> f.toString().endsWith("Calls.java")).toList()) {
        String text =
            Files.readAllLines(file).stream()
                .map(line -> line.strip().replaceFirst("^\\* ?", ""))
                .collect(Collectors.joining(" "));
        Matcher matcher = JAVADOC.matcher(text);
        while (matcher.find()) {
          Matcher quoted = PROTOTYPE.matcher(matcher.group(1) + ";");
          assertTrue(quoted.matches(), matcher.group(1));
          assertEquals(prototypes.remove(quoted.group(2)), quoted.group(), file.toString());
        }
      }
    }
    assertEquals(Map.of(), prototypes, "bound, but without a method that says what it calls");
  }
}
