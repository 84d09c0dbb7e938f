// The set's picture as one checksum.
#include <stdint.h>
#include <stdio.h>
enum { SIZE = 2400, LIMIT = 400 };
int main(void) {
  uint32_t check = 0;
  for (int py = 0; py < SIZE; py++)
    for (int px = 0; px < SIZE; px++) {
      double cr = 3.0 * px / SIZE - 2.25, ci = 3.0 * py / SIZE - 1.5, zr = 0, zi = 0;
      int n = 0;
      while (n < LIMIT && zr * zr + zi * zi < 4) {
        double t = zr * zr - zi * zi + cr;
        zi = 2 * zr * zi + ci;
        zr = t;
        n++;
      }
      check = check * 33 + (uint32_t)n;
    }
  printf("%08x\n", check);
  return 0;
}
