/*
 * Tries to leave its preopened directory (descriptor 3) by every trick with paths that there is. Every argument
 * is a path that must not be reached, for example "../secret" and an absolute one.
 * Lines: "PATH OPERATION ERRNO"; what could be read is printed as it is, so that a marker in it shows.
 */
#include "guest.h"

static const u32 box = FIRST_PREOPEN;

static void show_file(u32 fd) {
  static char buffer[4096];
  struct iovec iov = {at(buffer), sizeof buffer};
  u32 n = 0;
  put("CONTENT ");
  if (fd_pread(fd, at(&iov), 1, 0, at(&n)) == 0) put_bytes(buffer, n);
  put("\n");
}

static void list_directory(u32 fd) {
  static char buffer[8192];
  u32 n = 0;
  put("ENTRIES ");
  if (fd_readdir(fd, at(buffer), sizeof buffer, 0, at(&n)) == 0) {
    for (u32 i = 24; i <= n;) {
      u32 name_length = *(u32 *)(buffer + i - 8);
      if (i + name_length > n) break;
      put_bytes(buffer + i, name_length);
      put(" ");
      i += name_length + 24;
    }
  }
  put("\n");
}

static void say(const char *path, u32 len, const char *operation, u32 result) {
  put_bytes(path, len);
  put(" ");
  tell(operation, result);
}

/* Every operation that takes a path. */
static void attack(const char *path, u32 len) {
  static char buffer[4096];
  const ptr p = at(path);
  u32 fd = 0, n = 0;
  u32 result = open_to_read(box, path, len, 0, &fd);
  say(path, len, "open", result);
  if (result == 0) {
    show_file(fd);
    list_directory(fd);
    fd_close(fd);
  }
  result = path_open(box, 0, p, len, 0, READ_RIGHTS, ALL_RIGHTS, 0, at(&fd));
  say(path, len, "open-nofollow", result);
  if (result == 0) {
    show_file(fd);
    fd_close(fd);
  }
  result = open_at(box, path, len, O_CREAT, &fd);
  say(path, len, "create", result);
  if (result == 0) {
    write_bytes(fd, "overwritten", 11);
    fd_close(fd);
  }
  result = open_to_read(box, path, len, O_DIRECTORY, &fd);
  say(path, len, "open-directory", result);
  if (result == 0) {
    list_directory(fd);
    fd_close(fd);
  }
  say(path, len, "stat", path_filestat_get(box, FOLLOW, p, len, at(buffer)));
  say(path, len, "set-times", path_filestat_set_times(box, FOLLOW, p, len, 1, 1, 5));
  result = path_readlink(box, p, len, at(buffer), sizeof buffer, at(&n));
  say(path, len, "readlink", result);
  say(path, len, "make-directory", path_create_directory(box, p, len));
  say(path, len, "link-from", path_link(box, FOLLOW, p, len, box, at("stolen"), 6));
  say(path, len, "link-to", path_link(box, 0, at("plain"), 5, box, p, len));
  say(path, len, "symlink-to", path_symlink(at("plain"), 5, box, p, len));
  say(path, len, "remove-directory", path_remove_directory(box, p, len));
}

/* What replaces or moves the last name itself: only for paths that lie outside as a whole, because a link may go. */
static void attack_name(const char *path, u32 len) {
  attack(path, len);
  say(path, len, "rename-to", path_rename(box, at("plain"), 5, box, at(path), len));
  say(path, len, "unlink", path_unlink_file(box, at(path), len));
  say(path, len, "rename-from", path_rename(box, at(path), len, box, at("stolen"), 6));
}

static char path_buffer[8192];

static u32 join(const char *a, const char *b) {
  u32 n = 0;
  for (; *a; a++) path_buffer[n++] = *a;
  for (; *b; b++) path_buffer[n++] = *b;
  path_buffer[n] = 0;
  return n;
}

static u32 link_to(const char *target, const char *name) {
  u32 result = path_symlink(at(target), length(target), box, at(name), length(name));
  tell_of("setup", name, result);
  return result;
}

static void make_directory(const char *name) {
  tell_of("setup", name, path_create_directory(box, at(name), length(name)));
}

/* Ways in front of a path that go nowhere else. */
static const char *const prefixes[] = {"", "./", "a/../", ".//.//", "a/b/../../", "a/./b/./../.././"};

static void attack_by_names(const char *outside) {
  if (outside[0] == '/') {
    attack_name(path_buffer, join("", outside));
  } else {
    for (u32 i = 0; i < sizeof prefixes / sizeof *prefixes; i++) attack_name(path_buffer, join(prefixes[i], outside));
    attack_name(path_buffer, join("a/../../box/../", outside + 3));
  }
  attack_name(path_buffer, join(outside, "/"));
  attack_name(path_buffer, join("/", outside));
  attack_name(path_buffer, join("a/b/c/d/e/f/../../../../../../../../../../../../../../../../..", outside));
}

/* Links whose target is outside, in every form; each is then used as a path itself. */
static void attack_by_links(const char *outside) {
  if (link_to(outside, "link") != 0) return;
  attack("link", 4);
  attack("link/", 5);
  link_to("link", "link2");
  link_to("a/../link2", "link3");
  attack("link3", 5);
  tell_of("setup", "hard", path_link(box, 0, at("link"), 4, box, at("hard"), 4));
  attack("hard", 4);
  path_unlink_file(box, at("link"), 4);
  path_unlink_file(box, at("link2"), 5);
  path_unlink_file(box, at("link3"), 5);
  path_unlink_file(box, at("hard"), 4);
}

/* A link that stays inside where it is made, and points outside where it is moved. */
static void attack_by_moved_link(const char *name) {
  link_to("../../../", "a/b/c/deep");
  u32 fd = 0;
  tell_of("setup", "inside", open_at(box, "a/b/c/deep/plain", 16, 0, &fd));
  tell_of("setup", "move", path_rename(box, at("a/b/c/deep"), 10, box, at("moved"), 5));
  attack(path_buffer, join("moved/", name));
  tell_of("setup", "move-directory", path_rename(box, at("a/b"), 3, box, at("lifted"), 6));
  link_to("../..", "lifted/c/twice");
  tell_of("setup", "lift", path_rename(box, at("lifted/c"), 8, box, at("top"), 3));
  attack(path_buffer, join("top/twice/", name));
  /* Opened first, then used when the directory above has become a link. */
  tell_of("setup", "open-lifted", open_to_read(box, "lifted", 6, O_DIRECTORY, &fd));
  tell_of("setup", "put-away", path_rename(box, at("lifted"), 6, box, at("away"), 4));
  link_to("..", "lifted");
  u32 opened = 0;
  u32 n = join("../", name);
  tell("held-directory", open_to_read(fd, path_buffer, n, 0, &opened));
  n = join("../../", name);
  tell("held-directory", open_to_read(fd, path_buffer, n, 0, &opened));
  attack(path_buffer, join("lifted/", name));
}

EXPORT(_start) void _start(void) {
  u32 count = read_arguments();
  make_directory("a");
  make_directory("a/b");
  make_directory("a/b/c");
  make_directory("a/b/c/d");
  make_directory("a/b/c/d/e");
  make_directory("a/b/c/d/e/f");
  u32 fd = 0;
  tell_of("setup", "plain", open_at(box, "plain", 5, O_CREAT, &fd));
  fd_close(fd);
  /* Links that the owner's own tree has; the test made them. */
  attack("owners-link-up", 14);
  attack("owners-link-absolute", 20);
  attack("owners-directory-up/secret.txt", 30);
  for (u32 i = 1; i < count; i++) {
    attack_by_names(argument(i));
    attack_by_links(argument(i));
  }
  attack_by_moved_link("secret.txt");
  flush();
  proc_exit(0);
}
