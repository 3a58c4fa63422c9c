package dev.semantic.mlx;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.lang.reflect.Constructor;
import java.lang.reflect.GenericArrayType;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.lang.reflect.WildcardType;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * {@code docs/api.md} shows the public types as they are. {@code -Dsemantic.docs=write} writes it
 * anew.
 */
class ApiPageTest {
  private static final Path PROJECT =
      Objects.requireNonNull(Path.of("").toAbsolutePath().getParent());
  private static final Path PAGE = PROJECT.resolve("docs/api.md");
  private static final List<String> MODULES = List.of("semantic-core", "semantic-mlx");
  private static final Pattern PUBLIC =
      Pattern.compile(
          "^public (?:(?:abstract|final|sealed|non-sealed) )*(class|record|interface|enum) (\\w+)",
          Pattern.MULTILINE);

  /** One public type, and what its Javadoc says first. */
  private record Face(String kind, String name, String line, Class<?> type) {}

  @Test
  void thePageShowsEveryPublicTypeWithWhatItIs() throws Exception {
    String page = page();
    if ("write".equals(System.getProperty("semantic.docs"))) {
      Files.writeString(PAGE, page);
    }
    assertEquals(page, Files.readString(PAGE), "write it anew with -Dsemantic.docs=write");
  }

  @Test
  void noTypeOfTheInsideShowsInAPublicSignature() throws Exception {
    Map<String, List<Face>> rooms = rooms();
    Set<String> inside = new TreeSet<>();
    for (List<Face> faces : rooms.values()) {
      for (Face face : faces) {
        for (Class<?> other : shown(face.type())) {
          if (other.getName().startsWith("dev.semantic.")
              && !rooms.containsKey(other.getPackageName())) {
            inside.add(face.type().getName() + " shows " + other.getName());
          }
        }
      }
    }
    assertEquals(Set.of(), inside);
  }

  private static String page() throws Exception {
    Map<String, List<Face>> rooms = rooms();
    StringBuilder page =
        new StringBuilder(
            """
            # The public types

            All that a host can name, made from the code (a test compares). An arrow leads from a package to one whose types its own show. What is not here is internal, and not exported.

            ```mermaid
            graph LR
            """);
    for (Map.Entry<String, List<Face>> room : rooms.entrySet()) {
      String types = room.getValue().stream().map(Face::name).collect(Collectors.joining("<br/>"));
      page.append("  %s[\"<b>%s</b><br/>%s\"]\n".formatted(node(room), shortName(room), types));
    }
    for (Map.Entry<String, List<Face>> room : rooms.entrySet()) {
      Set<String> others = new TreeSet<>();
      for (Face face : room.getValue()) {
        shown(face.type()).stream()
            .map(Class::getPackageName)
            .filter(name -> rooms.containsKey(name) && !name.equals(room.getKey()))
            .forEach(others::add);
      }
      others.forEach(
          other -> page.append("  %s --> %s\n".formatted(node(room), other.replace('.', '_'))));
    }
    page.append("```\n");
    for (Map.Entry<String, List<Face>> room : rooms.entrySet()) {
      page.append("\n## `%s`\n| type | what it is |\n|---|---|\n".formatted(room.getKey()));
      for (Face face : room.getValue()) {
        page.append("| `%s` | %s |\n".formatted(face.name(), face.line()));
      }
    }
    return page.toString();
  }

  private static String node(Map.Entry<String, ?> room) {
    return room.getKey().replace('.', '_');
  }

  private static String shortName(Map.Entry<String, ?> room) {
    return room.getKey().substring("dev.semantic.".length());
  }

  /** The exported packages, each with its public types by name. */
  private static Map<String, List<Face>> rooms() throws Exception {
    Map<String, List<Face>> rooms = new TreeMap<>();
    for (String module : MODULES) {
      Path sources = PROJECT.resolve(module + "/src/main/java");
      Matcher exported =
          Pattern.compile("exports ([\\w.]+);")
              .matcher(Files.readString(sources.resolve("module-info.java")));
      while (exported.find()) {
        String room = exported.group(1);
        rooms.put(room, faces(sources.resolve(room.replace('.', '/')), room));
      }
    }
    return rooms;
  }

  private static List<Face> faces(Path directory, String room) throws Exception {
    List<Path> files;
    try (Stream<Path> all = Files.list(directory)) {
      files = all.filter(file -> file.toString().endsWith(".java")).sorted().toList();
    }
    List<Face> faces = new ArrayList<>();
    for (Path file : files) {
      String source = Files.readString(file);
      Matcher declared = PUBLIC.matcher(source);
      if (declared.find()) {
        Class<?> type =
            Class.forName(
                room + "." + declared.group(2), false, ApiPageTest.class.getClassLoader());
        String before = source.substring(0, declared.start());
        faces.add(new Face(declared.group(1), declared.group(2), firstSentence(before), type));
      }
    }
    return faces;
  }

  private static String firstSentence(String before) throws IOException {
    int begin = before.lastIndexOf("/**");
    if (begin < 0) {
      throw new IOException("a public type without Javadoc: " + before);
    }
    String text =
        before
            .substring(begin + 3, before.indexOf("*/", begin))
            .replaceAll("(?m)^\\s*\\* ?", "")
            .replaceAll("\\{@(?:code|link|linkplain) #?([^} ]+)(?: ([^}]+))?}", "`$1`")
            .replaceAll("\\s+", " ")
            .strip();
    Matcher sentence = Pattern.compile("^(.*?\\.)(?= [A-Z@<]|$)").matcher(text);
    return (sentence.find() ? sentence.group(1) : text).replace("|", "\\|");
  }

  /** What a type's public members and those of its public nested types name. */
  private static Set<Class<?>> shown(Class<?> type) {
    Set<Class<?>> shown = new TreeSet<>((one, other) -> one.getName().compareTo(other.getName()));
    add(type.getGenericSuperclass(), shown);
    for (Type each : type.getGenericInterfaces()) {
      add(each, shown);
    }
    for (Method method : type.getDeclaredMethods()) {
      if (Modifier.isPublic(method.getModifiers()) && !method.isSynthetic()) {
        add(method.getGenericReturnType(), shown);
        Arrays.stream(method.getGenericParameterTypes()).forEach(each -> add(each, shown));
        Arrays.stream(method.getGenericExceptionTypes()).forEach(each -> add(each, shown));
      }
    }
    for (Constructor<?> constructor : type.getDeclaredConstructors()) {
      if (Modifier.isPublic(constructor.getModifiers())) {
        Arrays.stream(constructor.getGenericParameterTypes()).forEach(each -> add(each, shown));
      }
    }
    for (Class<?> nested : type.getDeclaredClasses()) {
      if (Modifier.isPublic(nested.getModifiers())) {
        shown.addAll(shown(nested));
      }
    }
    return shown;
  }

  private static void add(Type type, Set<Class<?>> shown) {
    switch (type) {
      case Class<?> one when one.isArray() -> add(one.getComponentType(), shown);
      case Class<?> one -> shown.add(one);
      case ParameterizedType generic -> {
        add(generic.getRawType(), shown);
        Arrays.stream(generic.getActualTypeArguments()).forEach(each -> add(each, shown));
      }
      case WildcardType any -> Arrays.stream(any.getUpperBounds()).forEach(e -> add(e, shown));
      case GenericArrayType array -> add(array.getGenericComponentType(), shown);
      case null, default -> {}
    }
  }
}
