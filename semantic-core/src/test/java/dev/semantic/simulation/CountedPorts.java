package dev.semantic.simulation;

import dev.semantic.spi.KvAllocation;
import dev.semantic.spi.LoadedModel;
import dev.semantic.spi.LoadedModel.Chunk;
import dev.semantic.spi.ModelRuntime;
import dev.semantic.spi.Sequence;
import dev.semantic.store.CacheStore;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Stands before every port of a backend and the cache store, counts all calls in the order in which
 * they come, and makes one of them fail. A call that closes something has closed it by then; any
 * other has done nothing. Only {@code spec()} is not counted: it is a value. Thread-safe.
 */
final class CountedPorts {
  private static final String PORTS = "dev.semantic.spi";
  private static final String PROBES = "dev.semantic.memory";

  private final List<String> calls = new ArrayList<>();
  private Supplier<? extends Throwable> failure = AssertionError::new;
  private int nth = Integer.MAX_VALUE;
  private boolean lasting;

  ModelRuntime over(ModelRuntime runtime) {
    return ModelRuntime.class.cast(wrap(ModelRuntime.class, runtime));
  }

  CacheStore over(CacheStore store) {
    return CacheStore.class.cast(wrap(CacheStore.class, store));
  }

  /** Counting anew, the {@code n}th call fails, 1 being the next; all after it too if it lasts. */
  synchronized void fail(int n, boolean lasts, Supplier<? extends Throwable> how) {
    calls.clear();
    nth = n;
    lasting = lasts;
    failure = how;
  }

  /** Nothing fails any more; returns what was called since it was to. */
  synchronized List<String> heal() {
    nth = Integer.MAX_VALUE;
    return List.copyOf(calls);
  }

  private synchronized @Nullable Throwable count(String call) {
    calls.add(call);
    boolean fails = lasting ? calls.size() >= nth : calls.size() == nth;
    return fails ? failure.get() : null;
  }

  private Object wrap(Class<?> port, Object target) {
    return Proxy.newProxyInstance(
        CountedPorts.class.getClassLoader(), new Class<?>[] {port}, new Port(target));
  }

  private final class Port implements InvocationHandler {
    private final Object target;

    private Port(Object target) {
      this.target = target;
    }

    @Override
    public @Nullable Object invoke(Object proxy, Method method, Object @Nullable [] arguments)
        throws Throwable {
      String name = method.getName();
      if (method.getDeclaringClass() == Object.class) {
        return method.invoke(this, arguments); // two proxies of one thing are two things
      }
      Throwable thrown =
          name.equals("spec")
              ? null
              : count(method.getDeclaringClass().getSimpleName() + "." + name);
      if (thrown != null && !name.equals("close")) {
        throw thrown;
      }
      Object result = carryOut(proxy, method, arguments);
      if (thrown != null) {
        throw thrown;
      }
      Class<?> type = method.getReturnType();
      return switch (result) {
        case Optional<?> maybe -> maybe.map(CountedPorts.this::wrapped);
        case null -> null;
        default -> isPort(type) ? wrap(type, result) : result;
      };
    }

    private @Nullable Object carryOut(Object proxy, Method method, Object @Nullable [] arguments)
        throws Throwable {
      Method own = target.getClass().getMethod(method.getName(), method.getParameterTypes());
      if (own.isDefault()) { // the calls that it makes count, too
        return InvocationHandler.invokeDefault(proxy, method, arguments);
      }
      try {
        own.setAccessible(true);
        return own.invoke(target, own(arguments));
      } catch (InvocationTargetException e) {
        throw e.getTargetException();
      }
    }
  }

  /** What a port gives out, perhaps. */
  private Object wrapped(Object given) {
    return switch (given) {
      case KvAllocation allocation -> wrap(KvAllocation.class, allocation);
      case Sequence sequence -> wrap(Sequence.class, sequence);
      default -> given;
    };
  }

  private static boolean isPort(Class<?> type) {
    String home = type.getPackageName();
    return type.isInterface() && (home.equals(PORTS) || home.equals(PROBES));
  }

  /** A model wants its own sequences back. */
  private static Object @Nullable [] own(Object @Nullable [] arguments) {
    if (arguments == null || !(arguments[0] instanceof List<?> list)) {
      return arguments;
    }
    return new Object[] {list.stream().map(CountedPorts::own).toList()};
  }

  private static Object own(Object element) {
    if (element instanceof Chunk(var sequence, int[] tokens, boolean logits)
        && Proxy.getInvocationHandler(sequence) instanceof Port port
        && port.target instanceof Sequence inner) {
      return new LoadedModel.Chunk(inner, tokens, logits);
    }
    return element;
  }
}
