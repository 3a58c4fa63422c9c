package dev.semantic.simulation;

import java.io.IOException;
import java.io.InputStream;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassHierarchyResolver;
import java.lang.classfile.ClassTransform;
import java.lang.classfile.CodeElement;
import java.lang.classfile.CodeTransform;
import java.lang.classfile.instruction.InvokeDynamicInstruction;
import java.lang.classfile.instruction.InvokeInstruction;
import java.lang.classfile.instruction.NewObjectInstruction;
import java.lang.classfile.instruction.NewPrimitiveArrayInstruction;
import java.lang.classfile.instruction.NewReferenceArrayInstruction;
import java.lang.constant.ClassDesc;
import java.lang.constant.MethodTypeDesc;
import java.util.List;
import java.util.Set;

/**
 * The core and its tests once more. In the core, every place that allocates, and every call of a
 * collection that may, tells {@link AllocationPoints} first; maps and sets, which grow once they
 * hold what was put into them, afterwards, too. Nothing else is changed.
 */
final class RewrittenCore extends ClassLoader {
  private static final ClassDesc POINTS = ClassDesc.of(AllocationPoints.class.getName());
  private static final List<String> CORE =
      List.of("engine", "journal", "kv", "memory", "registry", "swap", "timeline");

  /** What allocates within the JDK, of what the core calls. */
  private static final Set<String> GROWING =
      Set.of(
          "add",
          "addAll",
          "addFirst",
          "addLast",
          "put",
          "putIfAbsent",
          "merge",
          "computeIfAbsent",
          "of",
          "copyOf",
          "stream",
          "iterator",
          "toList",
          "map",
          "filter",
          "formatted");

  private static final Set<String> GROWN_AFTERWARDS =
      Set.of("java/util/Map", "java/util/Set", "java/util/concurrent/ConcurrentMap");

  private static final Set<String> PUTTING = Set.of("add", "put", "putIfAbsent");

  private static final CodeTransform TOLD =
      (code, element) -> {
        if (allocates(element)) {
          code.invokestatic(POINTS, "visit", MethodTypeDesc.ofDescriptor("()V"));
        }
        code.with(element);
        if (growsAfterwards(element)) {
          code.invokestatic(POINTS, "visit", MethodTypeDesc.ofDescriptor("()V"));
        }
      };

  RewrittenCore() {
    super(RewrittenCore.class.getClassLoader());
  }

  private static boolean allocates(CodeElement element) {
    return switch (element) {
      case NewObjectInstruction _,
          NewPrimitiveArrayInstruction _,
          NewReferenceArrayInstruction _,
          InvokeDynamicInstruction _ ->
          true;
      case InvokeInstruction call ->
          call.owner().asInternalName().startsWith("java/")
              && GROWING.contains(call.name().stringValue());
      default -> false;
    };
  }

  private static boolean growsAfterwards(CodeElement element) {
    return element instanceof InvokeInstruction call
        && GROWN_AFTERWARDS.contains(call.owner().asInternalName())
        && PUTTING.contains(call.name().stringValue());
  }

  @Override
  protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
    synchronized (getClassLoadingLock(name)) {
      if (!name.startsWith("dev.semantic.") || name.startsWith(AllocationPoints.class.getName())) {
        return super.loadClass(name, resolve);
      }
      Class<?> known = findLoadedClass(name);
      return known == null ? define(name) : known;
    }
  }

  private Class<?> define(String name) throws ClassNotFoundException {
    try (InputStream file = getResourceAsStream(name.replace('.', '/') + ".class")) {
      if (file == null) {
        throw new ClassNotFoundException(name);
      }
      byte[] bytes = file.readAllBytes();
      byte[] used = isCore(name) ? rewritten(bytes) : bytes;
      return defineClass(name, used, 0, used.length);
    } catch (IOException e) {
      throw new ClassNotFoundException(name, e);
    }
  }

  private static boolean isCore(String name) {
    return CORE.stream().anyMatch(part -> name.startsWith("dev.semantic." + part + "."));
  }

  /** Not what is done once for a class: an Error there is for good, in any program. */
  private byte[] rewritten(byte[] bytes) {
    ClassFile files =
        ClassFile.of(
            ClassFile.ClassHierarchyResolverOption.of(
                ClassHierarchyResolver.ofResourceParsing(getParent())));
    return files.transformClass(
        files.parse(bytes),
        ClassTransform.transformingMethodBodies(
            method -> !method.methodName().equalsString("<clinit>"), TOLD));
  }
}
