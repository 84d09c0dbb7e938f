/* Ways to come to an end, named by the first argument. */
#include "guest.h"

static u32 recurse(u32 depth);
static u32 (*volatile next)(u32) = recurse;
static u32 recurse(u32 depth) { return next(depth + 1) + depth; }

static void spin(void) {
  static volatile u32 turns;
  for (;;) turns++;
}

/* Calls out for ever, quickly. */
static void spin_calls(void) {
  u64 now = 0;
  for (;;) clock_time_get(1, 0, at(&now));
}

static char block[1 << 16];

/* Writes for ever to stdout, or to stdout and stderr; ends with the errno of a write that fails. */
static void flood(u32 from, u32 to) {
  struct iovec iov = {at(block), sizeof block};
  u32 done = 0;
  for (u32 i = 0; i < sizeof block; i++) block[i] = 'x';
  for (u32 fd = from;; fd = fd == to ? from : fd + 1) {
    u32 result = fd_write(fd, at(&iov), 1, at(&done));
    if (result != 0) proc_exit(result);
  }
}

/* Writes a pattern of 32 MiB in which no two blocks are alike, each into the same buffer. */
static void pattern(void) {
  static u32 words[1 << 13];
  u32 state = 1;
  for (u32 round = 0; round < 1024; round++) {
    for (u32 i = 0; i < sizeof words / sizeof *words; i++) words[i] = state = state * 1664525 + 1013904223;
    struct iovec iov = {at(words), sizeof words};
    while (iov.len > 0) {
      u32 done = 0;
      if (fd_write(STDOUT, at(&iov), 1, at(&done)) != 0) proc_exit(96);
      iov.buf += done;
      iov.len -= done;
    }
  }
  proc_exit(0);
}

/* Closes and renumbers what it was given, and uses it afterwards. The answers go to the file of descriptor 3. */
static void close_stdio(void) {
  static char text[1024];
  u32 n = 0, fd = 0, opened = 0, done = 0;
  u64 now = 0;
  struct iovec iov = {at("late"), 4};
#define ANSWER(call) text[n++] = (char)('!' + (call))
  open_at(FIRST_PREOPEN, "answers", 7, O_CREAT, &fd);
  ANSWER(fd_write(STDOUT, at(&iov), 1, at(&done)));
  ANSWER(fd_close(STDOUT));
  ANSWER(fd_close(STDOUT));
  ANSWER(fd_write(STDOUT, at(&iov), 1, at(&done)));
  ANSWER(fd_close(STDIN));
  ANSWER(fd_read(STDIN, at(&iov), 1, at(&done)));
  /* The lowest free numbers are given again. */
  open_at(FIRST_PREOPEN, "zero", 4, O_CREAT, &opened);
  ANSWER(opened);
  open_at(FIRST_PREOPEN, "one", 3, O_CREAT, &opened);
  ANSWER(opened);
  ANSWER(fd_write(STDOUT, at(&iov), 1, at(&done)));
  /* stderr becomes what was stdout's file, the directory takes the place of stderr. */
  ANSWER(fd_renumber(STDERR, STDOUT));
  ANSWER(fd_write(STDERR, at(&iov), 1, at(&done)));
  ANSWER(fd_write(STDOUT, at(&iov), 1, at(&done)));
  ANSWER(fd_renumber(FIRST_PREOPEN, STDIN));
  ANSWER(fd_renumber(fd, fd));
  ANSWER(open_at(STDIN, "other", 5, O_CREAT, &opened));
  ANSWER(open_at(FIRST_PREOPEN, "other", 5, 0, &opened) == 0);
  ANSWER(clock_time_get(1, 0, at(&now)));
  iov.buf = at(text);
  iov.len = n;
  fd_write(fd, at(&iov), 1, at(&done));
  for (u32 i = 0; i < 64; i++) fd_close(i);
  ANSWER(fd_close(STDIN));
  proc_exit(text[n - 1] - '!');
}

EXPORT(_start) void _start(void) {
  if (read_arguments() < 2) proc_exit(97);
  const char *how = argument(1);
  if (same(how, "exit")) {
    /* Up to 2^32 - 1. */
    u64 code = 0;
    for (const char *digit = argument(2); *digit; digit++) code = code * 10 + (u64)(*digit - '0');
    proc_exit((u32)code);
  }
  if (same(how, "recurse")) proc_exit(recurse(0));
  if (same(how, "spin")) spin();
  if (same(how, "spin-calls")) spin_calls();
  if (same(how, "flood")) flood(STDOUT, STDOUT);
  if (same(how, "flood-both")) flood(STDOUT, STDERR);
  if (same(how, "pattern")) pattern();
  if (same(how, "close-stdio")) close_stdio();
  if (same(how, "trap")) __builtin_trap();
  proc_exit(97);
}
