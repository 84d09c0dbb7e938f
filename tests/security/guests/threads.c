/*
 * Threads against each other and against the host, by the first argument. Descriptor 3 is a directory.
 */
#include "guest.h"

IMPORT("wasi", "thread-spawn") int thread_spawn(u32 argument);

enum { SWAPPER = 1, SLEEPER, FLIPPER };
enum { ROUNDS = 20000 };

static volatile u32 stop, swaps, turns;
static const u32 box = FIRST_PREOPEN;

/* "door" is in turn a directory with the file "secret.txt" and a link that leads out. */
static __attribute__((noinline)) void swap(void) {
  while (!stop) {
    path_rename(box, at("door"), 4, box, at("directory"), 9);
    path_rename(box, at("way-out"), 7, box, at("door"), 4);
    path_rename(box, at("door"), 4, box, at("way-out"), 7);
    path_rename(box, at("directory"), 9, box, at("door"), 4);
    swaps++;
  }
}

/* What the main thread's calls read from, changed under their hands. */
static volatile struct iovec flipped = {0, 8};
static char flipped_path[] = "door/secret.txt";
static __attribute__((noinline)) void flip(void) {
  while (!stop) {
    flipped.buf = 0xfffffff0;
    flipped.len = 0xffffffff;
    *(volatile u32 *)flipped_path = 0x2f2e2e2f; /* "/../" */
    turns++;
    flipped.buf = 1024;
    flipped.len = 8;
    *(volatile u32 *)flipped_path = 0x726f6f64; /* "door" */
  }
}

static volatile u32 futex;

/* Every instance begins with the first thread's stack; the second thread's is this one. Others use none. */
static _Alignas(16) u8 stack[1 << 14];
__asm__(".globaltype __stack_pointer, i32\n");
#define USE_STACK(top) __asm__ volatile("local.get %0\nglobal.set __stack_pointer" ::"r"(top))

EXPORT(wasi_thread_start) void wasi_thread_start(int id, u32 argument) {
  (void)id;
  USE_STACK(at(stack + sizeof stack));
  if (argument == SWAPPER) swap();
  else if (argument == FLIPPER) flip();
  else __builtin_wasm_memory_atomic_wait32((int *)&futex, 0, -1);
}

static const char inside[] = "INSIDE";

static int is_inside(u32 fd) {
  static char content[64];
  struct iovec iov = {at(content), sizeof content};
  u32 n = 0;
  if (fd_pread(fd, at(&iov), 1, 0, at(&n)) != 0 || n < 6) return 0;
  for (u32 i = 0; i < 6; i++)
    if (content[i] != inside[i]) return 0;
  return 1;
}

static void race_renames(void) {
  u32 fd = 0, opened = 0, refused = 0, other = 0, created = 0;
  path_create_directory(box, at("door"), 4);
  open_at(box, "door/secret.txt", 15, O_CREAT, &fd);
  write_bytes(fd, inside, 6);
  fd_close(fd);
  tell("setup-way-out", path_symlink(at(".."), 2, box, at("way-out"), 7));
  if (thread_spawn(SWAPPER) < 0) proc_exit(96);
  for (u32 round = 0; round < ROUNDS || (opened < 20 || refused < 20); round++) {
    if (round > 100 * ROUNDS) break;
    if (open_to_read(box, "door/secret.txt", 15, 0, &fd) == 0) {
      if (is_inside(fd)) opened++;
      else other++;
      fd_close(fd);
    } else refused++;
    if (open_at(box, "door/planted.txt", 16, O_CREAT, &fd) == 0) created++, fd_close(fd);
  }
  stop = 1;
  tell("opened", opened);
  tell("refused", refused);
  tell("created", created);
  tell("elsewhere", other);
  tell("swaps", swaps);
}

static void race_memory(void) {
  u32 fd = 0, done = 0, counts[128] = {0};
  path_create_directory(box, at("door"), 4);
  open_at(box, "door/secret.txt", 15, O_CREAT, &fd);
  if (thread_spawn(FLIPPER) < 0) proc_exit(96);
  for (u32 round = 0; round < ROUNDS; round++) {
    u32 opened = 0;
    counts[fd_pwrite(fd, at((const void *)&flipped), 1, 0, at(&done)) & 127]++;
    counts[fd_pread(fd, at((const void *)&flipped), 1, 0, at(&done)) & 127]++;
    u32 result = open_at(box, flipped_path, sizeof flipped_path - 1, 0, &opened);
    counts[result & 127]++;
    if (result == 0) fd_close(opened);
  }
  stop = 1;
  for (u32 i = 0; i < 128; i++)
    if (counts[i] > 0) {
      put("errno-");
      put_number(i);
      tell("", counts[i]);
    }
  tell("turns", turns > 0);
}

/* As many threads as there may be, all waiting. */
static void spawn(void) {
  u32 count = 0;
  int id = 0;
  while (count < 100000 && (id = thread_spawn(SLEEPER)) > 0) count++;
  tell("threads", count);
  tell("ended-with", (u32)-id);
}

EXPORT(_start) void _start(void) {
  if (read_arguments() < 2) proc_exit(97);
  const char *how = argument(1);
  if (same(how, "renames")) race_renames();
  else if (same(how, "memory")) race_memory();
  else if (same(how, "spawn")) spawn();
  else if (same(how, "wait")) {
    thread_spawn(SLEEPER);
    write_bytes(STDERR, "waiting\n", 8);
    __builtin_wasm_memory_atomic_wait32((int *)&futex, 0, -1);
  }
  flush();
  proc_exit(0);
}
