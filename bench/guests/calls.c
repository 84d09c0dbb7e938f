// Nanoseconds per WASI call, measured from inside. Wants a writable directory as its first preopen.
// Prints one line per row: name, nanoseconds.
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <wasi/api.h>

static double now(void) {
  __wasi_timestamp_t t;
  __wasi_clock_time_get(__WASI_CLOCKID_MONOTONIC, 1, &t);
  return (double)t;
}

static void check(__wasi_errno_t error, const char *what) {
  if (error) { fprintf(stderr, "%s: errno %d\n", what, error); exit(1); }
}

static uint8_t buffer[65536];
static __wasi_fd_t dir = 3;

static __wasi_fd_t open_file(const char *name, __wasi_oflags_t oflags) {
  __wasi_fd_t fd;
  check(__wasi_path_open(dir, 0, name, oflags, __WASI_RIGHTS_FD_READ | __WASI_RIGHTS_FD_WRITE | __WASI_RIGHTS_FD_SEEK, 0, 0, &fd), "path_open");
  return fd;
}

#define ROW(name, count, body)                                       \
  do {                                                               \
    double best = 1e18;                                              \
    for (int round = 0; round < 5; round++) {                        \
      double start = now();                                          \
      for (int i = 0; i < (count); i++) { body; }                    \
      double each = (now() - start) / (count);                       \
      if (each < best) best = each;                                  \
    }                                                                \
    printf("%s %.1f\n", name, best);                                 \
    fflush(stdout);                                                  \
  } while (0)

int main(void) {
  __wasi_timestamp_t t;
  __wasi_size_t n;
  __wasi_filesize_t at;
  char name[32];
  __wasi_fd_t file = open_file("calls.bin", __WASI_OFLAGS_CREAT | __WASI_OFLAGS_TRUNC);
  __wasi_ciovec_t one = {buffer, 1}, big = {buffer, sizeof buffer};
  __wasi_iovec_t in64 = {buffer, 64}, inbig = {buffer, sizeof buffer};

  for (int i = 0; i < 200; i++) {
    snprintf(name, sizeof name, "entry%03d", i);
    __wasi_fd_close(open_file(name, __WASI_OFLAGS_CREAT));
  }
  ROW("clock_time_get", 100000, check(__wasi_clock_time_get(__WASI_CLOCKID_MONOTONIC, 1, &t), "clock"));
  ROW("random_get_16B", 50000, check(__wasi_random_get(buffer, 16), "random"));
  ROW("fd_write_1B", 50000, check(__wasi_fd_write(file, &one, 1, &n), "write"));
  check(__wasi_fd_seek(file, 0, __WASI_WHENCE_SET, &at), "seek");
  ROW("fd_write_64KiB", 500, { if (i % 100 == 0) __wasi_fd_seek(file, 0, __WASI_WHENCE_SET, &at); check(__wasi_fd_write(file, &big, 1, &n), "write"); });
  ROW("fd_read_64B", 50000, { if (i % 5000 == 0) __wasi_fd_seek(file, 0, __WASI_WHENCE_SET, &at); check(__wasi_fd_read(file, &in64, 1, &n), "read"); });
  ROW("fd_read_64KiB", 500, { if (i % 90 == 0) __wasi_fd_seek(file, 0, __WASI_WHENCE_SET, &at); check(__wasi_fd_read(file, &inbig, 1, &n), "read"); });
  ROW("path_open_close", 5000, __wasi_fd_close(open_file("entry077", 0)));
  ROW("fd_readdir_200", 200, {
    __wasi_dircookie_t cookie = 0;
    for (;;) {
      check(__wasi_fd_readdir(dir, buffer, 4096, cookie, &n), "readdir");
      size_t offset = 0;
      while (offset + sizeof(__wasi_dirent_t) <= n) {
        __wasi_dirent_t entry;
        memcpy(&entry, buffer + offset, sizeof entry);
        if (offset + sizeof entry + entry.d_namlen > n) break;
        cookie = entry.d_next;
        offset += sizeof entry + entry.d_namlen;
      }
      if (n < 4096) break;
    }
  });
  __wasi_subscription_t wait = {.userdata = 1, .u = {.tag = __WASI_EVENTTYPE_CLOCK, .u.clock = {.id = __WASI_CLOCKID_MONOTONIC, .timeout = 0}}};
  __wasi_event_t event;
  ROW("poll_oneoff_ready", 20000, check(__wasi_poll_oneoff(&wait, &event, 1, &n), "poll"));
  for (int i = 0; i < 200; i++) {
    snprintf(name, sizeof name, "entry%03d", i);
    __wasi_path_unlink_file(dir, name);
  }
  __wasi_path_unlink_file(dir, "calls.bin");
  return 0;
}
