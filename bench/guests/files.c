// Gigabytes per second of file I/O, measured from inside. Wants a writable working directory.
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { SIZE = 256 << 20, BLOCK = 1 << 20, PAGE = 4096, PAGES = 100000 };
static uint8_t block[BLOCK];

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void need(int ok, const char *what) {
  if (!ok) { perror(what); exit(1); }
}

static uint32_t random_state = 1;
static off_t random_page(void) {
  random_state = random_state * 1664525u + 1013904223u;
  return (off_t)(random_state % (SIZE / PAGE)) * PAGE;
}

int main(int argc, char **argv) {
  const char *path = argc > 1 ? argv[1] : "files.bin";
  int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
  need(fd >= 0, "open");
  for (int i = 0; i < BLOCK; i++) block[i] = (uint8_t)(i * 31);
  double start = now();
  for (int i = 0; i < SIZE / BLOCK; i++) need(write(fd, block, BLOCK) == BLOCK, "write");
  printf("write_new %.2f\n", SIZE / 1e9 / (now() - start));
  need(lseek(fd, 0, SEEK_SET) == 0, "seek");
  start = now();
  for (int i = 0; i < SIZE / BLOCK; i++) need(write(fd, block, BLOCK) == BLOCK, "write");
  printf("write_again %.2f\n", SIZE / 1e9 / (now() - start));
  need(lseek(fd, 0, SEEK_SET) == 0, "seek");
  start = now();
  for (int i = 0; i < SIZE / BLOCK; i++) need(read(fd, block, BLOCK) == BLOCK, "read");
  printf("read %.2f\n", SIZE / 1e9 / (now() - start));
  start = now();
  for (int i = 0; i < PAGES; i++) need(pread(fd, block, PAGE, random_page()) == PAGE, "pread");
  printf("random_read_4KiB %.2f\n", (double)PAGES * PAGE / 1e9 / (now() - start));
  start = now();
  for (int i = 0; i < PAGES; i++) need(pwrite(fd, block, PAGE, random_page()) == PAGE, "pwrite");
  printf("random_write_4KiB %.2f\n", (double)PAGES * PAGE / 1e9 / (now() - start));
  close(fd);
  unlink(path);
  return 0;
}
