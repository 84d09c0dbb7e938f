#include <stdio.h>

int main(void) {
  printf("compiled by clang %d for preview 0\n", __clang_major__);
  return 5;
}
