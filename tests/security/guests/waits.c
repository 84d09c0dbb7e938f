/*
 * Says "waiting" on stderr and then waits for ever in the call that the first argument names. Descriptor 3 is a
 * listener where one is needed, 4 a connection.
 */
#include "guest.h"

enum { LISTENER = 3, CONNECTION = 3 };

static char block[1 << 16];

static u32 poll_fd(u32 fd, u8 type) {
  static u64 subscription[6];
  static u64 event[4];
  u32 count = 0;
  subscription[1] = type;
  subscription[2] = fd;
  return poll_oneoff(at(subscription), at(event), 1, at(&count));
}

/* The longest sleep that there is. */
static u32 sleep_for_ever(void) {
  static u64 subscription[6] = {0, 0, 1, ~0ull, 0, 0};
  static u64 event[4];
  u32 count = 0;
  return poll_oneoff(at(subscription), at(event), 1, at(&count));
}

EXPORT(_start) void _start(void) {
  if (read_arguments() < 2) proc_exit(97);
  const char *how = argument(1);
  struct iovec iov = {at(block), sizeof block};
  u32 done = 0, flags = 0, result = 97;
  write_bytes(STDERR, "waiting\n", 8);
  if (same(how, "read")) result = fd_read(STDIN, at(&iov), 1, at(&done));
  else if (same(how, "poll-read")) result = poll_fd(STDIN, 1);
  else if (same(how, "sleep")) result = sleep_for_ever();
  else if (same(how, "accept")) result = sock_accept(LISTENER, 0, at(&done));
  else if (same(how, "poll-accept")) result = poll_fd(LISTENER, 1);
  else if (same(how, "receive")) result = sock_recv(CONNECTION, at(&iov), 1, 0, at(&done), at(&flags));
  else if (same(how, "write")) while ((result = fd_write(STDOUT, at(&iov), 1, at(&done))) == 0) {}
  else if (same(how, "send")) while ((result = sock_send(CONNECTION, at(&iov), 1, 0, at(&done))) == 0) {}
  else if (same(how, "spin")) for (volatile u32 turns = 0;; turns++) {}
  write_bytes(STDERR, "came back\n", 10);
  proc_exit(result);
}
