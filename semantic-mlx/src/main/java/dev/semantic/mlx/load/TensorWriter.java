package dev.semantic.mlx.load;

import dev.semantic.mlx.array.DType;
import dev.semantic.mlx.checkpoint.Buffers;
import dev.semantic.mlx.checkpoint.Checkpoint;
import dev.semantic.mlx.checkpoint.FileRange;
import dev.semantic.mlx.checkpoint.TensorInfo;
import dev.semantic.mlx.quant.NumberFormat;
import dev.semantic.mlx.quant.TensorType;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * A tensor of a file and the memory that its numbers go to, in the form that is computed with. Any
 * thread may write; several at once, if not the same rows.
 */
sealed interface TensorWriter {
  /** About so many numbers are read at a time: they stay in a core's cache. */
  int PIECE = 1 << 15;

  TensorInfo tensor();

  /** Where some rows are read. */
  List<FileRange> parts(int first, int count);

  /** Bytes of memory for each row. */
  long rowBytes();

  /** Reads some rows and writes them where they belong. */
  void write(int first, int count, Buffers buffers);

  /** Bytes of memory for all rows. */
  default long bytes() {
    return tensor().rows() * rowBytes();
  }

  /** How many rows make a piece. */
  private static int perPiece(TensorInfo tensor, int count) {
    return Math.clamp(PIECE / tensor.columns(), 1, count);
  }

  /**
   * Plain numbers.
   *
   * @param name the tensor's name in the checkpoint
   * @param offset is added to each
   */
  record Plain(Checkpoint checkpoint, String name, DType type, float offset, MemorySegment memory)
      implements TensorWriter {
    @Override
    public TensorInfo tensor() {
      return checkpoint.info(name);
    }

    @Override
    public List<FileRange> parts(int first, int count) {
      return checkpoint.parts(name, first, count);
    }

    @Override
    public long rowBytes() {
      return (long) tensor().columns() * type.bytes();
    }

    private boolean isAsInTheFile() {
      NumberFormat there = tensor().type();
      return offset == 0
          && switch (type) {
            case FLOAT32 -> there == TensorType.F32;
            case FLOAT16 -> there == TensorType.F16;
            case BFLOAT16 -> there == TensorType.BF16;
            default -> false;
          };
    }

    @Override
    public void write(int first, int count, Buffers buffers) {
      if (isAsInTheFile()) {
        long bytes = count * rowBytes();
        checkpoint.copy(name, first, count, memory.asSlice(first * rowBytes(), bytes));
        Finite.require(checkpoint, name, memory, first * rowBytes(), bytes, type);
        return;
      }
      int columns = tensor().columns();
      int most = perPiece(tensor(), count);
      float[] numbers = buffers.numbers(Math.multiplyExact(most, columns));
      for (int done = 0; done < count; done += most) {
        int rows = Math.min(most, count - done);
        checkpoint.expand(name, first + done, rows, numbers, buffers);
        for (int i = 0; offset != 0 && i < rows * columns; i++) {
          numbers[i] += offset;
        }
        long at = (first + done) * rowBytes();
        FloatPacking.write(numbers, rows * columns, type, memory, at);
        Finite.require(checkpoint, name, memory, at, rows * rowBytes(), type);
      }
    }
  }

  /**
   * MLX's affine form.
   *
   * @param name the tensor's name in the checkpoint
   * @param type of scales and biases
   */
  record Affine(
      Checkpoint checkpoint,
      String name,
      DType type,
      MemorySegment weights,
      MemorySegment scales,
      MemorySegment biases)
      implements TensorWriter {
    @Override
    public TensorInfo tensor() {
      return checkpoint.info(name);
    }

    private int groups() {
      return tensor().columns() / tensor().type().groupSize();
    }

    private int packedBytes() {
      return tensor().columns() / Byte.SIZE * tensor().type().exactBits();
    }

    @Override
    public List<FileRange> parts(int first, int count) {
      return checkpoint.parts(name, first, count);
    }

    @Override
    public long rowBytes() {
      return packedBytes() + 2L * groups() * type.bytes();
    }

    @Override
    public void write(int first, int count, Buffers buffers) {
      int most = perPiece(tensor(), count);
      float[] ofScales = buffers.scales(Math.multiplyExact(most, groups()));
      float[] ofBiases = buffers.biases(ofScales.length);
      for (int done = 0; done < count; done += most) {
        int now = Math.min(most, count - done);
        long row = (long) first + done;
        long bytes = (long) now * packedBytes();
        MemorySegment integers = weights.asSlice(row * packedBytes(), bytes);
        checkpoint.pack(name, first + done, now, integers, ofScales, ofBiases, buffers);
        long at = row * groups() * type.bytes();
        FloatPacking.write(ofScales, now * groups(), type, scales, at);
        FloatPacking.write(ofBiases, now * groups(), type, biases, at);
        long written = (long) now * groups() * type.bytes();
        Finite.require(checkpoint, name, scales, at, written, type);
        Finite.require(checkpoint, name, biases, at, written, type);
      }
    }
  }
}
