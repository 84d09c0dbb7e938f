// Standard input to standard output, as plainly as possible.
#include <unistd.h>
static char block[256 << 10];
int main(void) {
  for (;;) {
    ssize_t got = read(0, block, sizeof block);
    if (got == 0) return 0;
    if (got < 0) return 1;
    for (ssize_t at = 0; at < got;) {
      ssize_t put = write(1, block + at, (size_t)(got - at));
      if (put <= 0) return 2;
      at += put;
    }
  }
}
