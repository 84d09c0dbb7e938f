/* Hard questions for poll_oneoff. With an argument: waits for ever in the way it names. */
#include "guest.h"

struct subscription {
  u64 userdata;
  u8 type, padding[7];
  union {
    struct {
      u32 id, padding;
      u64 timeout, precision;
      u16 flags, more[3];
    } clock;
    u32 fd;
  };
};
_Static_assert(sizeof(struct subscription) == 48, "as in the witx");

struct event {
  u64 userdata;
  u16 error;
  u8 type, padding[5];
  u64 bytes;
  u16 flags, more[3];
};
_Static_assert(sizeof(struct event) == 32, "as in the witx");

enum { MILLION = 1000000, CLOCK = 0, READ = 1, WRITE = 2, MONOTONIC = 1, ABSOLUTE = 1 };

/* Both arrays lie behind the program's own data, in memory that is grown for them. */
static struct subscription *in;
static struct event *out;
static u32 count;

static u32 poll(const char *name, u32 n) {
  count = 0;
  u32 result = poll_oneoff(at(in), at(out), n, at(&count));
  tell(name, result);
  return result;
}

static void set_clock(u32 i, u64 timeout, u16 flags) {
  memset(&in[i], 0, sizeof *in);
  in[i].userdata = i;
  in[i].clock.id = MONOTONIC;
  in[i].clock.timeout = timeout;
  in[i].clock.flags = flags;
}

static void set_fd(u32 i, u8 type, u32 fd) {
  memset(&in[i], 0, sizeof *in);
  in[i].userdata = i;
  in[i].type = type;
  in[i].fd = fd;
}

static void many(void) {
  for (u32 i = 0; i < MILLION; i++) set_clock(i, 1, 0);
  poll("million-clocks", MILLION);
  poll("65536-clocks", 65536);
  tell("65536-clocks-events", count);
  poll("65537-clocks", 65537);
  for (u32 i = 0; i < 65536; i++) set_fd(i, WRITE, STDOUT);
  poll("65536-writes", 65536);
  tell("65536-writes-events", count);
  poll("none", 0);
  poll("4-GiB-minus-1", 0xffffffff);
  poll("2-GiB", 0x80000000);
  /* 0x05555556 * 48 is 32 after wrapping. */
  poll("product-wraps", 0x05555556);
}

static void overlaps(void) {
  struct event *apart = out;
  const ptr starts[] = {at(in), at(in) + 8, at(in) + 47, at(in) + 48, at(in) + 1000};
  for (u32 s = 0; s < sizeof starts / sizeof *starts; s++) {
    for (u32 i = 0; i < 1000; i++) set_clock(i, 1, ABSOLUTE);
    out = (struct event *)(uintptr_t)starts[s];
    tell("overlap-answers", poll_oneoff(at(in), at(out), 1000, at(&count)) <= 76);
  }
  for (u32 i = 0; i < 1000; i++) set_clock(i, 1, ABSOLUTE);
  out = apart;
  tell("result-in-events", poll_oneoff(at(in), at(out), 1000, at(&out[500])) <= 76);
  for (u32 i = 0; i < 1000; i++) set_clock(i, 1, ABSOLUTE);
  tell("result-in-subscriptions", poll_oneoff(at(in), at(out), 1000, at(&in[500])) <= 76);
}

static void odd(void) {
  set_fd(0, 3, STDOUT);
  poll("unknown-type", 1);
  set_fd(0, 255, STDOUT);
  poll("type-255", 1);
  set_clock(0, 1, 0xffff);
  poll("unknown-flags", 1);
  for (u32 id = 2; id < 5; id++) {
    set_clock(0, 1, 0);
    in[0].clock.id = id;
    poll("clock-that-cannot-be-waited-for", 1);
  }
  set_fd(0, READ, STDOUT);
  poll("read-of-stdout", 1);
  set_fd(0, READ, FIRST_PREOPEN);
  poll("read-of-directory", 1);
  set_clock(0, ~0ull, 0);
  set_fd(1, WRITE, STDOUT);
  poll("longest-time-and-ready", 2);
  tell("longest-time-and-ready-events", count);
  set_clock(0, 0, ABSOLUTE);
  poll("time-long-gone", 1);
  set_clock(0, 0, ABSOLUTE);
  in[0].clock.id = 0;
  poll("real-time-long-gone", 1);
}

EXPORT(_start) void _start(void) {
  u32 arguments = read_arguments();
  u32 page = __builtin_wasm_memory_grow(0, 1300);
  if (page == (u32)-1) proc_exit(97);
  in = (struct subscription *)(uintptr_t)(page * 65536u);
  out = (struct event *)(in + MILLION);
  if (arguments > 1) {
    const char *how = argument(1);
    put("waiting\n");
    flush();
    u32 n = 1;
    if (same(how, "relative")) set_clock(0, ~0ull, 0);
    else if (same(how, "absolute")) set_clock(0, ~0ull, ABSOLUTE);
    else if (same(how, "real")) set_clock(0, ~0ull, ABSOLUTE), in[0].clock.id = 0;
    else for (n = 0; n < 65536; n++) set_clock(n, ~0ull - n, 0);
    poll("came-back", n);
  } else {
    many();
    overlaps();
    odd();
  }
  flush();
  proc_exit(0);
}
