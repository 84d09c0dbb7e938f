/* Takes more and more of one thing, named by the first argument, until it is refused. */
#include "guest.h"

static const u32 box = FIRST_PREOPEN;
static char name[256];

/* A fresh name of n bytes. */
static void make_name(u32 serial, u32 n) {
  for (u32 i = 0; i < n; i++) name[i] = 'n';
  for (u32 i = 0; i < 8; i++, serial /= 26) name[i] = (char)('a' + serial % 26);
}

static void memory(void) {
  u32 pages = 0;
  while (__builtin_wasm_memory_grow(0, 1) != (u32)-1) pages++;
  tell("grown", pages);
  tell("size", __builtin_wasm_memory_size(0));
  /* All of it can be used. */
  for (u32 page = 4; page < __builtin_wasm_memory_size(0); page++) *(volatile u8 *)(uintptr_t)(page * 65536u) = 1;
  tell("huge", __builtin_wasm_memory_grow(0, 65535) == (u32)-1);
  tell("wraps", __builtin_wasm_memory_grow(0, 0xffffffff) == (u32)-1);
}

static char block[1 << 16];

/* Fills "big" until it is refused; answers its descriptor. */
static u32 fill(void) {
  u32 fd = 0, done = 0, result = open_at(box, "big", 3, O_CREAT, &fd);
  struct iovec iov = {at(block), sizeof block};
  for (u32 i = 0; i < sizeof block; i++) block[i] = (char)i;
  u64 written = 0;
  while (result == 0 && written < 1ull << 40) {
    done = 0;
    result = fd_write(fd, at(&iov), 1, at(&done));
    written += done;
  }
  tell("written", written);
  tell("ended-with", result);
  return fd;
}

static void content(void) {
  u32 done = 0, fd = fill();
  struct iovec iov = {at(block), sizeof block};
  tell("allocate-2^62", fd_allocate(fd, 0, 1ull << 62));
  tell("allocate-2^64-1", fd_allocate(fd, ~0ull - 1, 1));
  tell("size-2^63", fd_filestat_set_size(fd, 1ull << 63));
  tell("size-2^64-1", fd_filestat_set_size(fd, ~0ull));
  u64 at_end = 0;
  tell("seek-2^63-1", fd_seek(fd, 0x7fffffffffffffffull, 0, at(&at_end)));
  iov.len = 1;
  tell("write-there", fd_write(fd, at(&iov), 1, at(&done)));
  tell("pwrite-2^64-1", fd_pwrite(fd, at(&iov), 1, ~0ull, at(&done)));
  tell("shrink", fd_filestat_set_size(fd, 0));
  iov.len = sizeof block;
  fd_seek(fd, 0, 0, at(&at_end));
  tell("write-after-shrink", fd_write(fd, at(&iov), 1, at(&done)));
}

/* A file with holes: one byte in each MiB. */
static void holes(void) {
  u32 fd = 0, done = 0, pieces = 0, result = open_at(box, "holes", 5, O_CREAT, &fd);
  struct iovec iov = {at(block), 1};
  for (; result == 0 && pieces < 1 << 20; pieces++) {
    result = fd_pwrite(fd, at(&iov), 1, (u64)pieces << 20, at(&done));
  }
  tell("pieces", pieces);
  tell("ended-with", result);
}

static u32 add_file(u32 serial) {
  u32 fd = 0;
  make_name(serial, 255);
  u32 result = open_at(box, name, 255, O_CREAT, &fd);
  if (result == 0) fd_close(fd);
  return result;
}
static u32 add_directory(u32 serial) {
  make_name(serial, 255);
  return path_create_directory(box, at(name), 255);
}
static u32 add_symlink(u32 serial) {
  make_name(serial, 8);
  return path_symlink(at(block), 4095, box, at(name), 8);
}
static u32 add_link(u32 serial) {
  make_name(serial, 255);
  return path_link(box, 0, at("plain"), 5, box, at(name), 255);
}
static u32 add_descriptor(u32 serial) {
  u32 fd = 0;
  (void)serial;
  return open_at(box, "plain", 5, 0, &fd);
}
/* Files without a name live on while they are open. */
static u32 add_nameless(u32 serial) {
  u32 fd = 0;
  (void)serial;
  u32 result = open_at(box, "gone", 4, O_CREAT, &fd);
  if (result != 0) return result;
  path_unlink_file(box, at("gone"), 4);
  return write_bytes(fd, block, 4096);
}

static void entries(u32 (*add)(u32 serial)) {
  u32 fd = 0, count = 0, result = open_at(box, "plain", 5, O_CREAT, &fd);
  for (u32 i = 0; i < sizeof block; i++) block[i] = 'x';
  while (result == 0 && count < 5000000) {
    result = add(count);
    if (result == 0) count++;
  }
  tell("count", count);
  tell("ended-with", result);
}

EXPORT(_start) void _start(void) {
  if (read_arguments() < 2) proc_exit(97);
  const char *what = argument(1);
  if (same(what, "memory")) memory();
  else if (same(what, "content")) content();
  else if (same(what, "fill")) fill();
  else if (same(what, "holes")) holes();
  else if (same(what, "files")) entries(add_file);
  else if (same(what, "directories")) entries(add_directory);
  else if (same(what, "symlinks")) entries(add_symlink);
  else if (same(what, "links")) entries(add_link);
  else if (same(what, "descriptors")) entries(add_descriptor);
  else if (same(what, "nameless")) entries(add_nameless);
  else proc_exit(97);
  flush();
  proc_exit(0);
}
