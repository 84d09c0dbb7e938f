/*
 * Gives every function pointers at and beyond the end of memory. Each line of the table below is one pointer
 * of one function, with the number of bytes that lie behind it. For each: "edge" is the last place where they
 * fit, then come places where they do not. Lines: "FUNCTION-POINTER PLACE ERRNO".
 */
#include "guest.h"

#define END (__builtin_wasm_memory_size(0) * 65536ull)

static u8 scratch[4096];
static struct iovec one = {0, 1};
static u32 file;

static struct {
  const char *place;
  ptr pointer;
} places[7];

/* The last page is the places' own, and empty: an iovec there is {0, 0}. */
static void set_places(u32 size) {
  const u64 end = END;
  u32 n = 0;
  memset((void *)(uintptr_t)(end - 65536), 0, 65536);
  places[n].place = "edge", places[n++].pointer = (ptr)(end - size);
  places[n].place = "one-past", places[n++].pointer = (ptr)(end - size + 1);
  places[n].place = "last-byte", places[n++].pointer = (ptr)(end - (size > 1));
  places[n].place = "end-plus-1", places[n++].pointer = (ptr)end + 1;
  places[n].place = "2-GiB", places[n++].pointer = 0x80000000;
  places[n].place = "4-GiB-minus-1", places[n++].pointer = 0xffffffff;
  /* With its size it wraps around to low memory. */
  places[n].place = "wraps", places[n++].pointer = 0xffffffff - size + 2;
}

#define EACH(name, size, call)                         \
  set_places(size);                                    \
  for (u32 i = 0; i < 7; i++) {                        \
    const ptr p = places[i].pointer;                   \
    u32 result = (call);                               \
    tell_of(name, places[i].place, result);            \
  }

/* An array of iovec in good memory whose only entry is {p, 16}. */
static ptr vector(ptr p) {
  static struct iovec iov;
  iov.buf = p;
  iov.len = 16;
  return at(&iov);
}

static u32 rewound(u32 result) {
  fd_seek(file, 0, 0, at(scratch));
  return result;
}

static u32 closed(u32 result, ptr p) {
  if (result == 0) fd_close(*(u32 *)(uintptr_t)p);
  return result;
}

static void calls_with_files(void) {
  EACH("fd_read-iovs", 8, rewound(fd_read(file, p, 1, at(scratch))))
  EACH("fd_read-buffer", 16, rewound(fd_read(file, vector(p), 1, at(scratch))))
  EACH("fd_read-result", 4, rewound(fd_read(file, vector(at(scratch)), 1, p)))
  EACH("fd_pread-iovs", 8, fd_pread(file, p, 1, 0, at(scratch)))
  EACH("fd_pread-buffer", 16, fd_pread(file, vector(p), 1, 0, at(scratch)))
  EACH("fd_pread-result", 4, fd_pread(file, vector(at(scratch)), 1, 0, p))
  EACH("fd_write-iovs", 8, rewound(fd_write(file, p, 1, at(scratch))))
  EACH("fd_write-buffer", 16, rewound(fd_write(file, vector(p), 1, at(scratch))))
  EACH("fd_write-result", 4, rewound(fd_write(file, vector(at(scratch)), 1, p)))
  EACH("fd_pwrite-iovs", 8, fd_pwrite(file, p, 1, 0, at(scratch)))
  EACH("fd_pwrite-buffer", 16, fd_pwrite(file, vector(p), 1, 0, at(scratch)))
  EACH("fd_pwrite-result", 4, fd_pwrite(file, vector(at(scratch)), 1, 0, p))
  EACH("fd_readdir-buffer", 64, fd_readdir(FIRST_PREOPEN, p, 64, 0, at(scratch)))
  EACH("fd_readdir-result", 4, fd_readdir(FIRST_PREOPEN, at(scratch), 64, 0, p))
  EACH("fd_seek-result", 8, fd_seek(file, 0, 1, p))
  EACH("fd_tell-result", 8, fd_tell(file, p))
  EACH("fd_fdstat_get-result", 24, fd_fdstat_get(file, p))
  EACH("fd_filestat_get-result", 64, fd_filestat_get(file, p))
  EACH("fd_prestat_get-result", 8, fd_prestat_get(FIRST_PREOPEN, p))
  EACH("fd_prestat_dir_name-buffer", 4, fd_prestat_dir_name(FIRST_PREOPEN, p, 4))
}

static void calls_with_paths(void) {
  EACH("path_open-path", 8, path_open(FIRST_PREOPEN, 0, p, 8, 0, 0, 0, 0, at(scratch)))
  EACH("path_open-result", 4, closed(path_open(FIRST_PREOPEN, 0, at("file"), 4, 0, 2, 0, 0, p), p))
  EACH("path_create_directory-path", 8, path_create_directory(FIRST_PREOPEN, p, 8))
  EACH("path_filestat_get-path", 8, path_filestat_get(FIRST_PREOPEN, 0, p, 8, at(scratch)))
  EACH("path_filestat_get-result", 64, path_filestat_get(FIRST_PREOPEN, 0, at("file"), 4, p))
  EACH("path_filestat_set_times-path", 8, path_filestat_set_times(FIRST_PREOPEN, 0, p, 8, 0, 0, 0))
  EACH("path_link-old", 8, path_link(FIRST_PREOPEN, 0, p, 8, FIRST_PREOPEN, at("y"), 1))
  EACH("path_link-new", 8, path_link(FIRST_PREOPEN, 0, at("file"), 4, FIRST_PREOPEN, p, 8))
  EACH("path_readlink-path", 8, path_readlink(FIRST_PREOPEN, p, 8, at(scratch), 8, at(scratch)))
  EACH("path_readlink-buffer", 64, path_readlink(FIRST_PREOPEN, at("link"), 4, p, 64, at(scratch)))
  EACH("path_readlink-result", 4, path_readlink(FIRST_PREOPEN, at("link"), 4, at(scratch), 64, p))
  EACH("path_remove_directory-path", 8, path_remove_directory(FIRST_PREOPEN, p, 8))
  EACH("path_rename-old", 8, path_rename(FIRST_PREOPEN, p, 8, FIRST_PREOPEN, at("y"), 1))
  EACH("path_rename-new", 8, path_rename(FIRST_PREOPEN, at("file"), 4, FIRST_PREOPEN, p, 8))
  EACH("path_symlink-target", 8, path_symlink(p, 8, FIRST_PREOPEN, at("link"), 4))
  EACH("path_symlink-path", 8, path_symlink(at("x"), 1, FIRST_PREOPEN, p, 8))
  EACH("path_unlink_file-path", 8, path_unlink_file(FIRST_PREOPEN, p, 8))
}

static u64 subscription[6] = {0, 0, 1, 0, 0, 0};

static void other_calls(void) {
  u32 argc = 0, size = 0;
  args_sizes_get(at(&argc), at(&size));
  EACH("args_get-argv", argc * 4, args_get(p, at(scratch)))
  EACH("args_get-buffer", size, args_get(at(scratch), p))
  EACH("args_sizes_get-count", 4, args_sizes_get(p, at(scratch)))
  EACH("args_sizes_get-size", 4, args_sizes_get(at(scratch), p))
  environ_sizes_get(at(&argc), at(&size));
  EACH("environ_get-environ", argc * 4, environ_get(p, at(scratch)))
  EACH("environ_get-buffer", size, environ_get(at(scratch), p))
  EACH("environ_sizes_get-count", 4, environ_sizes_get(p, at(scratch)))
  EACH("environ_sizes_get-size", 4, environ_sizes_get(at(scratch), p))
  EACH("clock_res_get-result", 8, clock_res_get(0, p))
  EACH("clock_time_get-result", 8, clock_time_get(0, 0, p))
  EACH("random_get-buffer", 32, random_get(p, 32))
  EACH("poll_oneoff-in", 48, poll_oneoff(p, at(scratch), 1, at(scratch + 64)))
  EACH("poll_oneoff-out", 32, poll_oneoff(at(subscription), p, 1, at(scratch)))
  EACH("poll_oneoff-result", 4, poll_oneoff(at(subscription), at(scratch), 1, p))
}

/* Lengths and counts that no memory holds. */
static void sizes(void) {
  static const u32 lengths[] = {0xffffffff, 0xfffffff8, 0x80000000, 0x20000000, 0x20000001};
  for (u32 i = 0; i < sizeof lengths / sizeof *lengths; i++) {
    const u32 n = lengths[i];
    one.buf = at(scratch);
    one.len = n;
    tell("huge fd_read-length", fd_read(file, at(&one), 1, at(scratch)));
    tell("huge fd_write-length", fd_write(STDERR, at(&one), 1, at(scratch)));
    tell("huge fd_pread-length", fd_pread(file, at(&one), 1, 0, at(scratch)));
    tell("huge fd_pwrite-length", fd_pwrite(file, at(&one), 1, 0, at(scratch)));
    tell("huge fd_read-count", fd_read(file, at(&one), n, at(scratch)));
    tell("huge fd_write-count", fd_write(STDERR, at(&one), n, at(scratch)));
    tell("huge fd_readdir-length", fd_readdir(FIRST_PREOPEN, at(scratch), n, 0, at(scratch)));
    tell("huge random_get-length", random_get(at(scratch), n));
    tell("huge path_open-length", path_open(FIRST_PREOPEN, 0, at(scratch), n, 0, 0, 0, 0, at(scratch)));
    tell("huge path_readlink-size", path_readlink(FIRST_PREOPEN, at("link"), 4, at(scratch), n, at(scratch)));
    tell("huge path_symlink-target", path_symlink(at(scratch), n, FIRST_PREOPEN, at("z"), 1));
    tell("huge poll_oneoff-count", poll_oneoff(at(subscription), at(scratch), n, at(scratch)));
  }
}

/* Many iovecs that are each good and together more than 4 GiB. */
static void sums(void) {
  static struct iovec many[4096];
  for (u32 i = 0; i < 4096; i++) many[i].buf = 0, many[i].len = (u32)END;
  u32 done = 0;
  tell("sum null-device", fd_write(STDERR, at(many), 4096, at(&done)));
  tell("sum moved-below-4-GiB", done > 0);
  many[4095].buf = (ptr)END;
  done = 0;
  tell("sum last-is-bad", fd_pwrite(file, at(many), 4096, 0, at(&done)));
  tell("sum last-is-bad-moved", done);
}

EXPORT(_start) void _start(void) {
  if (__builtin_wasm_memory_grow(0, 1) == (u32)-1) proc_exit(97);
  open_at(FIRST_PREOPEN, "file", 4, O_CREAT, &file);
  write_bytes(file, "0123456789abcdef0123456789abcdef", 32);
  fd_seek(file, 0, 0, at(scratch));
  path_symlink(at("file"), 4, FIRST_PREOPEN, at("link"), 4);
  tell("setup file", file);
  calls_with_files();
  calls_with_paths();
  other_calls();
  sizes();
  sums();
  flush();
  proc_exit(0);
}
