/*
 * Uses descriptors that were never given with every function that takes one: 4 to 4096 and the edges of the
 * number range. Lines: "FUNCTION badf COUNT" and "FUNCTION FD ERRNO" for every answer that is not badf.
 */
#include "guest.h"

static struct iovec iov;
static u8 scratch[64];

static u32 advise(u32 fd) { return fd_advise(fd, 0, 1, 0); }
static u32 allocate(u32 fd) { return fd_allocate(fd, 0, 1); }
static u32 fdstat_get(u32 fd) { return fd_fdstat_get(fd, at(scratch)); }
static u32 set_flags(u32 fd) { return fd_fdstat_set_flags(fd, 0); }
static u32 set_rights(u32 fd) { return fd_fdstat_set_rights(fd, 0, 0); }
static u32 filestat_get(u32 fd) { return fd_filestat_get(fd, at(scratch)); }
static u32 set_size(u32 fd) { return fd_filestat_set_size(fd, 0); }
static u32 set_times(u32 fd) { return fd_filestat_set_times(fd, 0, 0, 0); }
static u32 pread(u32 fd) { return fd_pread(fd, at(&iov), 1, 0, at(scratch)); }
static u32 prestat_get(u32 fd) { return fd_prestat_get(fd, at(scratch)); }
static u32 dir_name(u32 fd) { return fd_prestat_dir_name(fd, at(scratch), 8); }
static u32 pwrite(u32 fd) { return fd_pwrite(fd, at(&iov), 1, 0, at(scratch)); }
static u32 read(u32 fd) { return fd_read(fd, at(&iov), 1, at(scratch)); }
static u32 readdir(u32 fd) { return fd_readdir(fd, at(scratch), 32, 0, at(scratch)); }
static u32 renumber_from(u32 fd) { return fd_renumber(fd, STDERR); }
static u32 renumber_to(u32 fd) { return fd_renumber(STDERR, fd); }
static u32 seek(u32 fd) { return fd_seek(fd, 0, 1, at(scratch)); }
static u32 tell_position(u32 fd) { return fd_tell(fd, at(scratch)); }
static u32 write(u32 fd) { return fd_write(fd, at(&iov), 1, at(scratch)); }
static u32 create_directory(u32 fd) { return path_create_directory(fd, at("x"), 1); }
static u32 path_stat(u32 fd) { return path_filestat_get(fd, 0, at("x"), 1, at(scratch)); }
static u32 path_times(u32 fd) { return path_filestat_set_times(fd, 0, at("x"), 1, 0, 0, 0); }
static u32 link_from(u32 fd) { return path_link(fd, 0, at("x"), 1, FIRST_PREOPEN, at("y"), 1); }
static u32 link_to(u32 fd) { return path_link(FIRST_PREOPEN, 0, at("plain"), 5, fd, at("y"), 1); }
static u32 open(u32 fd) { return path_open(fd, 0, at("x"), 1, 0, 0, 0, 0, at(scratch)); }
static u32 readlink(u32 fd) { return path_readlink(fd, at("x"), 1, at(scratch), 8, at(scratch + 8)); }
static u32 remove_directory(u32 fd) { return path_remove_directory(fd, at("x"), 1); }
static u32 rename_from(u32 fd) { return path_rename(fd, at("x"), 1, FIRST_PREOPEN, at("y"), 1); }
static u32 rename_to(u32 fd) { return path_rename(FIRST_PREOPEN, at("plain"), 5, fd, at("y"), 1); }
static u32 symlink(u32 fd) { return path_symlink(at("x"), 1, fd, at("y"), 1); }
static u32 unlink(u32 fd) { return path_unlink_file(fd, at("x"), 1); }
static u32 accept(u32 fd) { return sock_accept(fd, 0, at(scratch)); }
static u32 receive(u32 fd) { return sock_recv(fd, at(&iov), 1, 0, at(scratch), at(scratch + 8)); }
static u32 send(u32 fd) { return sock_send(fd, at(&iov), 1, 0, at(scratch)); }
static u32 shutdown(u32 fd) { return sock_shutdown(fd, 3); }

static u32 poll(u32 fd, u8 type) {
  static u64 subscription[6];
  static u64 event[4];
  subscription[1] = type;
  subscription[2] = fd;
  return poll_oneoff(at(subscription), at(event), 1, at(scratch));
}
static u32 poll_read(u32 fd) { return poll(fd, 1); }
static u32 poll_write(u32 fd) { return poll(fd, 2); }

static const struct {
  const char *name;
  u32 (*call)(u32 fd);
} functions[] = {
    {"fd_advise", advise}, {"fd_allocate", allocate}, {"fd_close", fd_close}, {"fd_datasync", fd_datasync},
    {"fd_fdstat_get", fdstat_get}, {"fd_fdstat_set_flags", set_flags}, {"fd_fdstat_set_rights", set_rights},
    {"fd_filestat_get", filestat_get}, {"fd_filestat_set_size", set_size}, {"fd_filestat_set_times", set_times},
    {"fd_pread", pread}, {"fd_prestat_get", prestat_get}, {"fd_prestat_dir_name", dir_name}, {"fd_pwrite", pwrite},
    {"fd_read", read}, {"fd_readdir", readdir}, {"fd_renumber-from", renumber_from}, {"fd_renumber-to", renumber_to},
    {"fd_seek", seek}, {"fd_sync", fd_sync}, {"fd_tell", tell_position}, {"fd_write", write},
    {"path_create_directory", create_directory}, {"path_filestat_get", path_stat},
    {"path_filestat_set_times", path_times}, {"path_link-from", link_from}, {"path_link-to", link_to},
    {"path_open", open}, {"path_readlink", readlink}, {"path_remove_directory", remove_directory},
    {"path_rename-from", rename_from}, {"path_rename-to", rename_to}, {"path_symlink", symlink},
    {"path_unlink_file", unlink}, {"sock_accept", accept}, {"sock_recv", receive}, {"sock_send", send},
    {"sock_shutdown", shutdown}, {"poll_oneoff-read", poll_read}, {"poll_oneoff-write", poll_write},
};

static const u32 edges[] = {0x7fffffff, 0x80000000, 0x80000001, 0xfffffffe, 0xffffffff, 65536, 1 << 24};

EXPORT(_start) void _start(void) {
  u32 fd = 0;
  iov.buf = at(scratch);
  iov.len = 1;
  if (open_at(FIRST_PREOPEN, "plain", 5, O_CREAT, &fd) == 0) fd_close(fd);
  for (u32 i = 0; i < sizeof functions / sizeof *functions; i++) {
    u32 refused = 0;
    for (u32 n = 0; n < 4093 + sizeof edges / sizeof *edges; n++) {
      fd = n < 4093 ? 4 + n : edges[n - 4093];
      u32 result = functions[i].call(fd);
      if (result == E_BADF) {
        refused++;
        continue;
      }
      put(functions[i].name);
      put(" ");
      put_number(fd);
      tell("", result);
    }
    tell_of(functions[i].name, "badf", refused);
  }
  flush();
  proc_exit(0);
}
