/* Prints how many primes lie below a limit and what their sum is, modulo 2^32. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv) {
  size_t limit = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000;
  uint8_t *composite = calloc(limit + 1, 1);
  if (!composite) return 1;
  uint32_t count = 0, sum = 0;
  for (size_t n = 2; n < limit; n++) {
    if (composite[n]) continue;
    count++;
    sum += (uint32_t)n;
    for (size_t multiple = 2 * n; multiple < limit; multiple += n) composite[multiple] = 1;
  }
  printf("%u primes below %zu, sum %u, estimate %.3f\n", count, limit, sum, (double)limit / log((double)limit));
  free(composite);
  return 0;
}
