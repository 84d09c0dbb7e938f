/* Names that are odd, wrong or too long, links in circles, and directories without end. */
#include "guest.h"

static const u32 box = FIRST_PREOPEN;
static char path[1 << 17];

static void try_open(const char *name, u32 len, u32 oflags) {
  u32 fd = 0;
  u32 result = open_at(box, path, len, oflags, &fd);
  tell(name, result);
  if (result == 0) fd_close(fd);
}

static void try_text(const char *name, const char *text, u32 len) {
  memcpy(path, text, len);
  try_open(name, len, O_CREAT);
}

#define TEXT(name, text) try_text(name, text, sizeof text - 1)

static void fill(u32 from, u32 n, char letter) {
  for (u32 i = 0; i < n; i++) path[from + i] = letter;
}

static void bytes(void) {
  TEXT("nul-inside", "pla\0in");
  TEXT("nul-last", "plain\0");
  TEXT("nul-then-up", "a\0/../../secret.txt");
  TEXT("not-utf8", "\xff\xfe");
  TEXT("overlong-dots", "\xc0\xae\xc0\xae/secret.txt");
  TEXT("overlong-slash", "..\xc0\xafsecret.txt");
  TEXT("surrogate", "\xed\xa0\x80");
  TEXT("cut-sequence", "\xe2\x82");
  TEXT("beyond-unicode", "\xf4\x90\x80\x80");
  TEXT("empty", "");
  TEXT("only-slashes", "///");
  /* No tricks here, only names: what other systems take for something else. */
  TEXT("backslashes", "..\\..\\secret.txt");
  TEXT("percent", "%2e%2e%2fsecret.txt");
  TEXT("fullwidth-dots", "\xef\xbc\x8e\xef\xbc\x8e");
  TEXT("three-dots", "...");
  TEXT("newline", "a\nb");
  TEXT("drive", "C:");
}

static void lengths(void) {
  fill(0, 8192, 'x');
  try_open("name-255", 255, O_CREAT);
  try_open("name-256", 256, O_CREAT);
  try_open("path-4095-one-name", 4095, O_CREAT);
  /* "./././": valid names however long the path is. */
  for (u32 i = 0; i < sizeof path; i++) path[i] = i % 2 ? '/' : '.';
  try_open("dots-4095", 4095, 0);
  try_open("dots-4096", 4096, 0);
  try_open("dots-65536", 65536, 0);
  fill(0, sizeof path, '/');
  try_open("slashes-131072", sizeof path, 0);
  path[0] = 'p';
  tell("length-4-GiB", path_create_directory(box, at(path), 0xffffffff));
  tell("length-2-GiB", path_create_directory(box, at(path), 0x80000000));
}

static void slashes(void) {
  TEXT("file-slash", "plain/");
  TEXT("file-dot", "plain/.");
  TEXT("file-up", "plain/../plain");
  u32 fd = 0;
  tell("directory-slash", open_to_read(box, "sub/", 4, 0, &fd));
  tell("make-with-slash", path_create_directory(box, at("new/"), 4));
  tell("remove-dot", path_remove_directory(box, at("new/."), 5));
  tell("remove-up", path_remove_directory(box, at("new/.."), 6));
  tell("remove-root", path_remove_directory(box, at("."), 1));
  tell("rename-root", path_rename(box, at("."), 1, box, at("sub/root"), 8));
  tell("rename-into-itself", path_rename(box, at("sub"), 3, box, at("sub/in"), 6));
  tell("link-directory", path_link(box, 0, at("sub"), 3, box, at("linked"), 6));
}

static void circles(void) {
  path_symlink(at("self"), 4, box, at("self"), 4);
  path_symlink(at("right"), 5, box, at("left"), 4);
  path_symlink(at("left"), 4, box, at("right"), 5);
  path_symlink(at("around/x"), 8, box, at("around"), 6);
  TEXT("link-to-itself", "self");
  TEXT("two-links", "left/x");
  TEXT("link-below-itself", "around");
  /* "l00" is a file, each further one a link to the one before. */
  u32 fd = 0, passed = 0;
  char name[4] = "l00", before[4] = "l00";
  if (open_at(box, name, 3, O_CREAT, &fd) == 0) fd_close(fd);
  for (u32 i = 1; i < 100; i++) {
    name[1] = (char)('0' + i / 10);
    name[2] = (char)('0' + i % 10);
    path_symlink(at(before), 3, box, at(name), 3);
    u32 result = open_at(box, name, 3, 0, &fd);
    if (result == 0) {
      fd_close(fd);
      passed = i;
    } else if (i == passed + 1) tell("chain-ends-with", result);
    memcpy(before, name, 4);
  }
  tell("chain-passed", passed);
  /* Each link doubles the one before: 2^40 steps for who follows them without a count. */
  path_symlink(at("."), 1, box, at("w00"), 3);
  char doubled[8] = "w00/w00", wide[4] = "w00";
  for (u32 i = 1; i < 40; i++) {
    wide[1] = (char)('0' + i / 10);
    wide[2] = (char)('0' + i % 10);
    path_symlink(at(doubled), 7, box, at(wide), 3);
    memcpy(doubled, wide, 3);
    memcpy(doubled + 4, wide, 3);
  }
  tell("doubled-links", open_at(box, "w39/plain", 9, 0, &fd));
}

/* Directories in directories, each opened from the one above, until an errno or 20,000. */
static void nesting(void) {
  u32 fd = 0, next = 0, depth = 0, result = open_to_read(box, "sub", 3, O_DIRECTORY, &fd);
  while (result == 0 && depth < 20000) {
    result = path_create_directory(fd, at("d"), 1);
    if (result == 0) result = open_to_read(fd, "d", 1, O_DIRECTORY, &next);
    if (result != 0) break;
    depth++;
    fd_close(fd);
    fd = next;
  }
  tell("depth", depth);
  tell("depth-ended-with", result);
  tell("deep-up", open_to_read(fd, "../../..", 8, 0, &next));
}

EXPORT(_start) void _start(void) {
  u32 fd = 0;
  path_create_directory(box, at("sub"), 3);
  if (open_at(box, "plain", 5, O_CREAT, &fd) == 0) fd_close(fd);
  bytes();
  lengths();
  slashes();
  circles();
  nesting();
  flush();
  proc_exit(0);
}
