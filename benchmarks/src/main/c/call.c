// The same calls from C, for the ratio in CallBenchmark:
//   cc -O2 call.c -I<mlx-c> -L<natives>/mlx/lib -lmlxc -Wl,-rpath,<natives>/mlx/lib -o call && ./call
#include <stdio.h>
#include <time.h>

#include "mlx/c/mlx.h"

static double seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec * 1e-9;
}

int main(void) {
  mlx_stream stream = mlx_default_cpu_stream_new();
  mlx_array a = mlx_array_new_float32(1), b = mlx_array_new_float32(2);
  const int rounds = 2000000;
  size_t sum = 0;
  for (int warm = 0; warm < 3; warm++) {
    double start = seconds();
    for (int i = 0; i < rounds; i++) {
      mlx_array r = mlx_array_new();
      mlx_add(&r, a, b, stream);
      mlx_array_free(r);
    }
    double add = (seconds() - start) / rounds * 1e9;
    start = seconds();
    for (int i = 0; i < rounds; i++) {
      sum += mlx_array_ndim(a);
    }
    double ndim = (seconds() - start) / rounds * 1e9;
    printf("{\"add_and_free_ns\": %.1f, \"ndim_ns\": %.2f, \"sum\": %zu}\n", add, ndim, sum);
  }
  return 0;
}
