/*
 * Raw WASI preview 1 for hostile guests: no C library stands between the guest and the host, so every
 * pointer, length and number arrives as it is written here. Results are lines "name number" on stdout.
 */
#ifndef GUEST_H
#define GUEST_H
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
/* Pointers are plain numbers here: most of them are not meant to point anywhere. */
typedef u32 ptr;

#define IMPORT(from, name) __attribute__((import_module(from), import_name(name)))
#define WASI(name) IMPORT("wasi_snapshot_preview1", #name)
#define EXPORT(name) __attribute__((export_name(#name)))

WASI(args_get) u32 args_get(ptr argv, ptr buf);
WASI(args_sizes_get) u32 args_sizes_get(ptr count, ptr size);
WASI(environ_get) u32 environ_get(ptr env, ptr buf);
WASI(environ_sizes_get) u32 environ_sizes_get(ptr count, ptr size);
WASI(clock_res_get) u32 clock_res_get(u32 id, ptr result);
WASI(clock_time_get) u32 clock_time_get(u32 id, u64 precision, ptr result);
WASI(fd_advise) u32 fd_advise(u32 fd, u64 offset, u64 len, u32 advice);
WASI(fd_allocate) u32 fd_allocate(u32 fd, u64 offset, u64 len);
WASI(fd_close) u32 fd_close(u32 fd);
WASI(fd_datasync) u32 fd_datasync(u32 fd);
WASI(fd_fdstat_get) u32 fd_fdstat_get(u32 fd, ptr result);
WASI(fd_fdstat_set_flags) u32 fd_fdstat_set_flags(u32 fd, u32 flags);
WASI(fd_fdstat_set_rights) u32 fd_fdstat_set_rights(u32 fd, u64 base, u64 inheriting);
WASI(fd_filestat_get) u32 fd_filestat_get(u32 fd, ptr result);
WASI(fd_filestat_set_size) u32 fd_filestat_set_size(u32 fd, u64 size);
WASI(fd_filestat_set_times) u32 fd_filestat_set_times(u32 fd, u64 atim, u64 mtim, u32 flags);
WASI(fd_pread) u32 fd_pread(u32 fd, ptr iovs, u32 count, u64 offset, ptr result);
WASI(fd_prestat_get) u32 fd_prestat_get(u32 fd, ptr result);
WASI(fd_prestat_dir_name) u32 fd_prestat_dir_name(u32 fd, ptr path, u32 len);
WASI(fd_pwrite) u32 fd_pwrite(u32 fd, ptr iovs, u32 count, u64 offset, ptr result);
WASI(fd_read) u32 fd_read(u32 fd, ptr iovs, u32 count, ptr result);
WASI(fd_readdir) u32 fd_readdir(u32 fd, ptr buf, u32 len, u64 cookie, ptr result);
WASI(fd_renumber) u32 fd_renumber(u32 fd, u32 to);
WASI(fd_seek) u32 fd_seek(u32 fd, u64 offset, u32 whence, ptr result);
WASI(fd_sync) u32 fd_sync(u32 fd);
WASI(fd_tell) u32 fd_tell(u32 fd, ptr result);
WASI(fd_write) u32 fd_write(u32 fd, ptr iovs, u32 count, ptr result);
WASI(path_create_directory) u32 path_create_directory(u32 fd, ptr path, u32 len);
WASI(path_filestat_get) u32 path_filestat_get(u32 fd, u32 flags, ptr path, u32 len, ptr result);
WASI(path_filestat_set_times)
u32 path_filestat_set_times(u32 fd, u32 flags, ptr path, u32 len, u64 atim, u64 mtim, u32 fst);
WASI(path_link)
u32 path_link(u32 fd, u32 flags, ptr path, u32 len, u32 to, ptr to_path, u32 to_len);
WASI(path_open)
u32 path_open(u32 fd, u32 flags, ptr path, u32 len, u32 oflags, u64 base, u64 inheriting, u32 fdflags,
              ptr result);
WASI(path_readlink) u32 path_readlink(u32 fd, ptr path, u32 len, ptr buf, u32 size, ptr result);
WASI(path_remove_directory) u32 path_remove_directory(u32 fd, ptr path, u32 len);
WASI(path_rename) u32 path_rename(u32 fd, ptr path, u32 len, u32 to, ptr to_path, u32 to_len);
WASI(path_symlink) u32 path_symlink(ptr target, u32 target_len, u32 fd, ptr path, u32 len);
WASI(path_unlink_file) u32 path_unlink_file(u32 fd, ptr path, u32 len);
WASI(poll_oneoff) u32 poll_oneoff(ptr in, ptr out, u32 count, ptr result);
WASI(proc_exit) _Noreturn void proc_exit(u32 code);
WASI(random_get) u32 random_get(ptr buf, u32 len);
WASI(sched_yield) u32 sched_yield(void);
WASI(sock_accept) u32 sock_accept(u32 fd, u32 flags, ptr result);
WASI(sock_recv) u32 sock_recv(u32 fd, ptr iovs, u32 count, u32 flags, ptr received, ptr roflags);
WASI(sock_send) u32 sock_send(u32 fd, ptr iovs, u32 count, u32 flags, ptr sent);
WASI(sock_shutdown) u32 sock_shutdown(u32 fd, u32 how);

enum { STDIN = 0, STDOUT = 1, STDERR = 2, FIRST_PREOPEN = 3 };
enum { E_AGAIN = 6, E_BADF = 8, E_FAULT = 21 };
enum { O_CREAT = 1, O_DIRECTORY = 2, O_EXCL = 4, O_TRUNC = 8 };
enum { FOLLOW = 1 };
#define ALL_RIGHTS 0x1fffffffull
/* Without fd_datasync, fd_write, fd_allocate and fd_filestat_set_size, which make an open one for writing. */
#define READ_RIGHTS (ALL_RIGHTS & ~0x400141ull)

struct iovec {
  ptr buf;
  u32 len;
};

static inline ptr at(const void *p) { return (ptr)(uintptr_t)p; }

static inline u32 length(const char *s) {
  u32 n = 0;
  while (s[n]) n++;
  return n;
}

static inline int same(const char *a, const char *b) {
  while (*a && *a == *b) a++, b++;
  return *a == *b;
}

/* The compiler makes calls of these by itself. */
__attribute__((weak)) void *memset(void *to, int value, size_t n) {
  for (volatile u8 *p = to; n--; p++) *p = (u8)value;
  return to;
}
__attribute__((weak)) void *memcpy(void *to, const void *from, size_t n) {
  volatile u8 *p = to;
  for (const u8 *q = from; n--;) *p++ = *q++;
  return to;
}

static char output[1 << 16];
static u32 output_length;

static void flush(void) {
  struct iovec iov = {at(output), output_length};
  u32 done = 0;
  while (iov.len > 0) {
    if (fd_write(STDOUT, at(&iov), 1, at(&done)) != 0) proc_exit(99);
    iov.buf += done;
    iov.len -= done;
  }
  output_length = 0;
}

static void put_bytes(const char *bytes, u32 n) {
  for (u32 i = 0; i < n; i++) {
    if (output_length == sizeof output) flush();
    output[output_length++] = bytes[i];
  }
}

static void put(const char *text) { put_bytes(text, length(text)); }

static void put_number(u64 value) {
  char digits[20];
  u32 n = 0;
  do digits[n++] = (char)('0' + value % 10);
  while (value /= 10);
  while (n--) put_bytes(&digits[n], 1);
}

/* One result: "name number". */
static void tell(const char *name, u64 value) {
  put(name);
  put(" ");
  put_number(value);
  put("\n");
}

/* "what name number" */
static void tell_of(const char *what, const char *name, u64 value) {
  put(what);
  put(" ");
  tell(name, value);
}

static char argument_bytes[1 << 14];
static ptr argument_list[64];

/* The arguments; counts the program's name. */
static u32 read_arguments(void) {
  u32 count = 0, size = 0;
  args_sizes_get(at(&count), at(&size));
  if (count > 64 || size > sizeof argument_bytes) proc_exit(98);
  args_get(at(argument_list), at(argument_bytes));
  return count;
}

static const char *argument(u32 index) { return (const char *)(uintptr_t)argument_list[index]; }

static u32 parse_number(const char *text) {
  u32 value = 0;
  for (; *text; text++) value = value * 10 + (u32)(*text - '0');
  return value;
}

/* path_open with all rights, following symlinks. */
static u32 open_at(u32 fd, const char *path, u32 len, u32 oflags, u32 *opened) {
  return path_open(fd, FOLLOW, at(path), len, oflags, ALL_RIGHTS, ALL_RIGHTS, 0, at(opened));
}

/* path_open for reading: what a directory needs. */
static u32 open_to_read(u32 fd, const char *path, u32 len, u32 oflags, u32 *opened) {
  return path_open(fd, FOLLOW, at(path), len, oflags, READ_RIGHTS, ALL_RIGHTS, 0, at(opened));
}

static u32 write_bytes(u32 fd, const char *bytes, u32 n) {
  struct iovec iov = {at(bytes), n};
  u32 done = 0;
  return fd_write(fd, at(&iov), 1, at(&done));
}

#endif
