/* Says what a program sees from inside a Keep: what it was given, and what it was not. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <wasi/api.h>

#define FIRST_DESCRIPTOR 3
#define LAST_DESCRIPTOR 64
#define RANDOM_BYTES 16
#define WASM_PAGE_BYTES 65536

extern char **environ;

static const char *kind_name(__wasi_filetype_t kind) {
  switch (kind) {
    case __WASI_FILETYPE_DIRECTORY: return "directory";
    case __WASI_FILETYPE_REGULAR_FILE: return "file";
    case __WASI_FILETYPE_SOCKET_STREAM: return "socket";
    case __WASI_FILETYPE_CHARACTER_DEVICE: return "terminal";
    default: return "pipe";
  }
}

static void show_arguments(int argc, char **argv) {
  printf("  arguments    %d:", argc);
  for (int i = 0; i < argc; i++) printf(" %s", argv[i]);
  printf("\n");
}

static void show_environment(void) {
  int count = 0;
  while (environ && environ[count]) count++;
  printf("  environment  %d:", count);
  for (int i = 0; i < count; i++) printf(" %s", environ[i]);
  printf("\n");
}

static void show_clock(void) {
  struct timespec now, resolution;
  char text[64];
  clock_gettime(CLOCK_REALTIME, &now);
  clock_getres(CLOCK_MONOTONIC, &resolution);
  strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", gmtime(&now.tv_sec));
  printf("  clock        %s, in steps of %ld ns\n", text, resolution.tv_nsec);
}

static void show_random(void) {
  unsigned char bytes[RANDOM_BYTES];
  if (getentropy(bytes, sizeof bytes) != 0) {
    printf("  random       none: %s\n", strerror(errno));
    return;
  }
  printf("  random       ");
  for (size_t i = 0; i < sizeof bytes; i++) printf("%02x", bytes[i]);
  printf("\n");
}

static void show_directory(const char *path) {
  int count = 0;
  DIR *directory = opendir(path);
  printf("  directory    %s:", path);
  if (!directory) {
    printf(" %s\n", strerror(errno));
    return;
  }
  for (struct dirent *entry; (entry = readdir(directory));) {
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    printf(" %s%s", entry->d_name, entry->d_type == DT_DIR ? "/" : "");
    count++;
  }
  printf(count ? "\n" : " empty\n");
  closedir(directory);
}

/* Descriptors 0 to 2 are the streams; what was granted beyond them comes next, without gaps. */
static void show_descriptors(void) {
  __wasi_fdstat_t status;
  printf("  streams      ");
  for (int fd = 0; fd < FIRST_DESCRIPTOR; fd++) {
    const char *name = __wasi_fd_fdstat_get(fd, &status) == 0 ? kind_name(status.fs_filetype) : "closed";
    printf("%s%s", fd ? ", " : "", name);
  }
  printf("\n");
  for (int fd = FIRST_DESCRIPTOR; fd < LAST_DESCRIPTOR; fd++) {
    __wasi_prestat_t prestat;
    if (__wasi_fd_fdstat_get(fd, &status) != 0) break;
    if (__wasi_fd_prestat_get(fd, &prestat) != 0) {
      printf("  descriptor   %d: %s\n", fd, kind_name(status.fs_filetype));
      continue;
    }
    char path[256] = "";
    if (prestat.u.dir.pr_name_len >= sizeof path) continue;
    if (__wasi_fd_prestat_dir_name(fd, (uint8_t *)path, prestat.u.dir.pr_name_len) == 0) show_directory(path);
  }
}

/* A Keep has no file of the host; each of these must fail, and the program says how. */
static void show_host(void) {
  static const char *const paths[] = {"/etc/passwd", "/proc/self/maps", "../../etc/hosts"};
  int opened = 0;
  printf("  host's files");
  for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
    int fd = open(paths[i], O_RDONLY);
    printf("%s %s: %s", i ? "," : "", paths[i], fd < 0 ? strerror(errno) : "OPENED");
    if (fd >= 0) {
      opened++;
      close(fd);
    }
  }
  printf("\n");
  if (opened) exit(1);
}

int main(int argc, char **argv) {
  const char *greeting = getenv("GREETING");
  printf("%s\n\n", greeting ? greeting : "Hello from WebAssembly.");
  show_arguments(argc, argv);
  show_environment();
  show_clock();
  show_random();
  printf("  memory       %d KiB\n", (int)(__builtin_wasm_memory_size(0) * (WASM_PAGE_BYTES / 1024)));
  show_descriptors();
  show_host();
  return 0;
}
