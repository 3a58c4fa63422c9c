package dev.semantic.mlx.load;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.mlx.architecture.ModelConfig;
import dev.semantic.mlx.architecture.ModelDescription;
import dev.semantic.mlx.array.DType;
import dev.semantic.mlx.checkpoint.Buffers;
import dev.semantic.mlx.checkpoint.Checkpoint;
import dev.semantic.mlx.checkpoint.FileRange;
import dev.semantic.mlx.checkpoint.TensorInfo;
import dev.semantic.mlx.quant.AffineRows;
import dev.semantic.mlx.quant.TensorType;
import dev.semantic.spi.LoadPriority;
import dev.semantic.spi.LoadProgress;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Tensors of many sizes, whose number {@code i} is {@code i} and a bit that tells them apart. */
class WeightReaderTest {
  private static final int[][] SHAPES = {
    {1, 7}, {3000, 512}, {64, 64}, {1, 1}, {700, 33}, {2, 300_000}, {5, 40_000}
  };

  private final Tensors file = new Tensors();
  private final List<float[]> memory = new ArrayList<>();

  private WeightReader reader() {
    List<TensorWriter> writers = new ArrayList<>();
    memory.clear();
    for (TensorInfo tensor : file.tensors().values()) {
      float[] numbers = new float[(int) tensor.elements()];
      memory.add(numbers);
      writers.add(
          new TensorWriter.Plain(
              file, tensor.name(), DType.FLOAT32, 0, MemorySegment.ofArray(numbers)));
    }
    return new WeightReader(writers);
  }

  private void assertAllIsThere() {
    int i = 0;
    for (TensorInfo tensor : file.tensors().values()) {
      float[] expected = new float[(int) tensor.elements()];
      file.expand(tensor.name(), 0, tensor.rows(), expected);
      assertArrayEquals(expected, memory.get(i++), tensor.name());
    }
  }

  @Test
  void allCoresTogetherWriteWhatOneWouldWrite() {
    for (TensorType type : List.of(TensorType.F32, TensorType.Q4_1)) {
      file.type = type;
      WeightReader reader = reader();
      List<Long> done = new ArrayList<>();
      reader.read((bytes, total) -> done.add(bytes), new LoadThrottle(() -> false));
      assertAllIsThere();
      assertEquals(reader.totalBytes(), done.getLast());
      assertEquals(done.stream().sorted().distinct().toList(), done);
    }
  }

  @Test
  void inTheBackgroundTheSameIsWritten() {
    reader()
        .read(
            new LoadProgress() {
              @Override
              public void update(long doneBytes, long totalBytes) {}

              @Override
              public LoadPriority priority() {
                return LoadPriority.BACKGROUND;
              }
            },
            new LoadThrottle(() -> false));
    assertAllIsThere();
  }

  @Test
  void smallTensorsAreReadAtTheSameTime() {
    file.type = TensorType.Q4_1;
    file.meeting = new CountDownLatch(2);
    reader().read(LoadProgress.NONE, new LoadThrottle(() -> false));
    assertTrue(file.met, "a second thread never came");
    assertAllIsThere();
  }

  @Test
  void aLoadThatIsNotWantedAnyMoreEnds() {
    WeightReader reader = reader();
    LoadProgress unwanted =
        new LoadProgress() {
          @Override
          public void update(long doneBytes, long totalBytes) {}

          @Override
          public boolean isCancelled() {
            return true;
          }
        };
    LoadThrottle throttle = new LoadThrottle(() -> false);
    assertThrows(CancellationException.class, () -> reader.read(unwanted, throttle));
  }

  /** A checkpoint that needs no file. */
  private static final class Tensors implements Checkpoint {
    private volatile TensorType type = TensorType.F32;
    private volatile CountDownLatch meeting = new CountDownLatch(0);
    private volatile boolean met = true;

    @Override
    public Map<String, TensorInfo> tensors() {
      Map<String, TensorInfo> tensors = new LinkedHashMap<>();
      for (int i = 0; i < SHAPES.length; i++) {
        tensors.put("tensor " + i, new TensorInfo("tensor " + i, SHAPES[i], type, 0));
      }
      return tensors;
    }

    private float number(String name, int row, int column) {
      return (row * 1000f + column) * SHAPES.length + name.charAt(name.length() - 1);
    }

    /** The first who comes waits for a second one; the others do not. */
    private void meet() {
      CountDownLatch awaited = meeting;
      if (awaited.getCount() > 0) {
        awaited.countDown();
        try {
          met = awaited.await(1, TimeUnit.MINUTES) && met;
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
          met = false;
        }
        meeting = new CountDownLatch(0);
      }
    }

    @Override
    public void expand(String name, int first, int count, float[] to, Buffers buffers) {
      meet();
      int columns = info(name).columns();
      for (int i = 0; i < count * columns; i++) {
        to[i] = number(name, first + i / columns, i % columns);
      }
    }

    @Override
    public void copy(String name, int first, int count, MemorySegment to) {
      float[] rows = new float[count * info(name).columns()];
      expand(name, first, count, rows);
      MemorySegment.copy(rows, 0, to, ValueLayout.JAVA_FLOAT_UNALIGNED, 0, rows.length);
    }

    @Override
    public void pack(String name, int first, int count, AffineRows to, Buffers buffers) {
      throw new UnsupportedOperationException();
    }

    /** In none. */
    @Override
    public List<FileRange> parts(String name, int first, int count) {
      return List.of();
    }

    @Override
    public Path path() {
      return Path.of("numbers");
    }

    @Override
    public ModelConfig config() {
      throw new UnsupportedOperationException();
    }

    @Override
    public ModelDescription decoder() {
      throw new UnsupportedOperationException();
    }

    @Override
    public Optional<DType> numbers() {
      return Optional.empty();
    }

    @Override
    public boolean normsAreWhole() {
      return false;
    }

    @Override
    public long fileBytes() {
      return 0;
    }

    @Override
    public byte[] fingerprint() {
      return new byte[0];
    }

    @Override
    public Map<String, Object> metadata() {
      return Map.of();
    }

    @Override
    public void verifyUnchanged() {}

    @Override
    public void close() {}
  }
}
