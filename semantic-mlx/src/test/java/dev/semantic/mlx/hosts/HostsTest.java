package dev.semantic.mlx.hosts;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.mlx.testing.RequiresModels;
import dev.semantic.mlx.testing.RequiresNatives;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.boot.loader.launch.JarLauncher;

/** A host packed as hosts are packed starts models in processes of their own. */
@RequiresNatives
@RequiresModels
class HostsTest {
  private static final String PROGRAM = HostProgram.class.getName();
  private static final String PROGRAM_FILE = PROGRAM.replace('.', '/') + ".class";
  private static final Set<String> WANTED =
      Set.of("semantic-core", "tokenizers", "api", "jackson", "slf4j", "caffeine", "jspecify");

  @TempDir Path directory;

  /** What a host has at run time; the modules under construction are directories until packed. */
  private static List<Path> classPath() {
    return Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator, -1))
        .map(Path::of)
        .filter(
            path ->
                path.endsWith("target/classes")
                    || (WANTED.stream().anyMatch(path.getFileName().toString()::startsWith)
                        && !path.toString().endsWith("-tests.jar")))
        .toList();
  }

  private void runs(String... arguments) throws Exception {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of(arguments));
    Path log = directory.resolve("log");
    ProcessBuilder builder = new ProcessBuilder(command).redirectError(log.toFile());
    Process process = builder.start();
    try {
      String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      assertTrue(process.waitFor(60, TimeUnit.SECONDS));
      assertEquals("next Paris", said.strip(), () -> read(log));
    } finally {
      process.destroyForcibly();
    }
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      return e.toString();
    }
  }

  /** With Boot's own launcher, in the layout that its Maven plugin makes. */
  @Test
  void aSpringBootJar() throws Exception {
    Path app = directory.resolve("an app.jar");
    try (Jar jar = new Jar(app, JarLauncher.class.getName(), PROGRAM)) {
      jar.unpack(
          Path.of(JarLauncher.class.getProtectionDomain().getCodeSource().getLocation().toURI()),
          "org/");
      jar.directory("BOOT-INF/classes/");
      jar.directory("BOOT-INF/lib/");
      jar.file("BOOT-INF/classes/" + PROGRAM_FILE, ownClass());
      int n = 0;
      for (Path path : classPath()) {
        jar.stored(
            "BOOT-INF/lib/"
                + n++
                + "-"
                + (Files.isDirectory(path) ? "module.jar" : path.getFileName()),
            packed(path));
      }
    }
    runs("-jar", app.toString());
  }

  @Test
  void aShadedJar() throws Exception {
    Path app = directory.resolve("shaded.jar");
    try (Jar jar = new Jar(app, PROGRAM, PROGRAM)) {
      jar.file(PROGRAM_FILE, ownClass());
      for (Path path : classPath()) {
        jar.unpack(path, "");
      }
    }
    runs("-jar", app.toString());
  }

  @Test
  void theModulePath() throws Exception {
    Path own = directory.resolve("own");
    Path file = own.resolve(PROGRAM_FILE);
    Files.createDirectories(Path.of(String.valueOf(file.getParent())));
    Files.write(file, ownClass());
    String modules =
        String.join(File.pathSeparator, classPath().stream().map(Path::toString).toList());
    runs(
        "--module-path",
        modules,
        "--add-modules",
        "dev.semantic.mlx",
        "-classpath",
        own.toString(),
        PROGRAM);
  }

  private static byte[] ownClass() throws IOException {
    try (InputStream in = HostsTest.class.getResourceAsStream("/" + PROGRAM_FILE)) {
      return in.readAllBytes();
    }
  }

  private byte[] packed(Path path) throws IOException {
    if (!Files.isDirectory(path)) {
      return Files.readAllBytes(path);
    }
    Path packed = Files.createTempFile(directory, "module", ".jar");
    try (Jar jar = new Jar(packed, PROGRAM, PROGRAM)) {
      jar.unpack(path, "");
    }
    return Files.readAllBytes(packed);
  }

  /** A jar in the making; of two files of one name the first stays, of services both. */
  private static final class Jar implements AutoCloseable {
    private final JarOutputStream out;
    private final Set<String> names = new HashSet<>();
    private final Map<String, String> services = new TreeMap<>();

    private Jar(Path file, String main, String start) throws IOException {
      Manifest manifest = new Manifest();
      Attributes attributes = manifest.getMainAttributes();
      attributes.put(Attributes.Name.MANIFEST_VERSION, "1.0");
      attributes.put(Attributes.Name.MAIN_CLASS, main);
      attributes.putValue("Start-Class", start);
      attributes.putValue("Spring-Boot-Classes", "BOOT-INF/classes/");
      attributes.putValue("Spring-Boot-Lib", "BOOT-INF/lib/");
      attributes.putValue("Multi-Release", "true");
      attributes.putValue("Enable-Native-Access", "ALL-UNNAMED");
      out = new JarOutputStream(Files.newOutputStream(file), manifest);
    }

    private void file(String name, byte[] content) throws IOException {
      if (name.startsWith("META-INF/services/")) {
        services.merge(name, new String(content, StandardCharsets.UTF_8) + "\n", String::concat);
      } else if (names.add(name) && !name.equals("META-INF/MANIFEST.MF")) {
        out.putNextEntry(new JarEntry(name));
        out.write(content);
      }
    }

    private void directory(String name) throws IOException {
      out.putNextEntry(new JarEntry(name));
    }

    /** As jars within jars must be. */
    private void stored(String name, byte[] content) throws IOException {
      JarEntry entry = new JarEntry(name);
      CRC32 crc = new CRC32();
      crc.update(content);
      entry.setMethod(ZipEntry.STORED);
      entry.setSize(content.length);
      entry.setCrc(crc.getValue());
      out.putNextEntry(entry);
      out.write(content);
    }

    private void unpack(Path path, String prefix) throws IOException {
      if (Files.isDirectory(path)) {
        try (Stream<Path> files = Files.walk(path)) {
          for (Path file : files.filter(Files::isRegularFile).toList()) {
            file(path.relativize(file).toString(), Files.readAllBytes(file));
          }
        }
        return;
      }
      try (ZipFile zip = new ZipFile(path.toFile())) {
        for (ZipEntry entry : zip.stream().filter(each -> !each.isDirectory()).toList()) {
          if (entry.getName().startsWith(prefix)) {
            try (InputStream in = zip.getInputStream(entry)) {
              file(entry.getName(), in.readAllBytes());
            }
          }
        }
      }
    }

    @Override
    public void close() throws IOException {
      for (Map.Entry<String, String> service : services.entrySet()) {
        out.putNextEntry(new JarEntry(service.getKey()));
        out.write(service.getValue().getBytes(StandardCharsets.UTF_8));
      }
      out.close();
    }
  }
}
