package dev.semantic.mlx.capi;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/** mlx_io_reader: files of our own making. */
final class IoCalls {
  /** mlx_io_vtable: nine functions, in the order of io_types.h. */
  static final MemoryLayout VTABLE =
      MemoryLayout.structLayout(
          ADDRESS, ADDRESS, ADDRESS, ADDRESS, ADDRESS, ADDRESS, ADDRESS, ADDRESS, ADDRESS);

  private static final MethodHandle READER_NEW =
      Symbols.function("mlx_io_reader_new", JAVA_LONG, ADDRESS, VTABLE);
  private static final MethodHandle READER_FREE =
      Symbols.function("mlx_io_reader_free", JAVA_INT, JAVA_LONG);
  private static final MethodHandle LOAD_READER =
      Symbols.function("mlx_load_reader", JAVA_INT, ADDRESS, JAVA_LONG, JAVA_LONG);

  private IoCalls() {}

  /** {@code mlx_io_reader mlx_io_reader_new(void* desc, mlx_io_vtable vtable)}. */
  static long readerNew(MemorySegment desc, MemorySegment vtable) {
    long handle;
    try {
      handle = (long) READER_NEW.invokeExact(desc, vtable);
    } catch (Throwable t) {
      throw Symbols.unexpected("mlx_io_reader_new", t);
    }
    return MlxError.made(handle, "mlx_io_reader_new");
  }

  /** {@code int mlx_io_reader_free(mlx_io_reader io)}. */
  static void readerFree(long io) {
    int status;
    try {
      status = (int) READER_FREE.invokeExact(io);
    } catch (Throwable t) {
      throw Symbols.unexpected("mlx_io_reader_free", t);
    }
    MlxError.check(status, "mlx_io_reader_free");
  }

  /** {@code int mlx_load_reader(mlx_array* res, mlx_io_reader in_stream, const mlx_stream s)}. */
  static void loadReader(MemorySegment res, long inStream, long stream) {
    int status;
    try {
      status = (int) LOAD_READER.invokeExact(res, inStream, stream);
    } catch (Throwable t) {
      throw Symbols.unexpected("mlx_load_reader", t);
    }
    MlxError.check(status, "mlx_load_reader");
  }
}
