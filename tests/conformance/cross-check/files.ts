/** Programs about files: one sequence of calls for each thing that can be asked. */
import {
  BUFFER,
  BUFFER_LENGTH,
  call,
  IOVS,
  oneBuffer,
  open,
  PATH,
  PATH_2,
  type Program,
  RESULT,
  type Step,
  u32s,
  u64,
  write,
} from "./program.ts";

const READ = 2n;
const WRITE = 0x40n;
const CREAT = 1;
const DIRECTORY = 2;
const EXCL = 4;
const TRUNC = 8;
const APPEND = 1;

const ODD_PATHS = [
  "",
  ".",
  "..",
  "/",
  "/f",
  "f/",
  "f/.",
  "d/..",
  "d/../f",
  "d/../../f",
  "d//x",
  "./f",
  "d/x/",
  "missing",
  "missing/x",
  "f/x",
  "l",
  "l/",
  "up",
  "loop",
  "d/x\0",
  "\u00e9",
  "a".repeat(255),
  "a".repeat(256),
  "d/".repeat(2100),
];

function program(name: string, ...steps: readonly (Step | readonly Step[])[]): Program {
  return { name, steps: steps.flat() as Step[] };
}

/** Writes `text` at the position of a descriptor. */
function put(fd: number, text: string): readonly Step[] {
  return [
    write(BUFFER, text),
    write(IOVS, u32s(BUFFER, text.length)),
    call("fd_write", fd, IOVS, 1, RESULT),
  ];
}

/** Reads the file from its start. */
function look(fd: number): readonly Step[] {
  return [
    write(BUFFER, new Uint8Array(BUFFER_LENGTH)),
    oneBuffer,
    {
      call: "fd_pread",
      args: [fd, IOVS, 1, u64(0n), RESULT],
      reads: [
        [RESULT, 4],
        [BUFFER, BUFFER_LENGTH],
      ],
    },
  ];
}

const at = (name: string, path: string, ...rest: readonly (number | string)[]): readonly Step[] => [
  write(PATH, path),
  call(name, 3, PATH, Buffer.byteLength(path), ...rest),
];

function listPathPrograms(): Program[] {
  return ODD_PATHS.flatMap((path) => {
    const shown = path.length > 20 ? `${path.slice(0, 8)}...${path.length}` : path;
    const name = JSON.stringify(shown);
    const length = Buffer.byteLength(path);
    return [
      program(`open ${name}`, open(path, { rights: READ })),
      program(`open follow ${name}`, open(path, { rights: READ, dirflags: 1 })),
      program(`open to write ${name}`, open(path, { rights: WRITE })),
      program(`open directory ${name}`, open(path, { rights: READ, oflags: DIRECTORY })),
      program(`create ${name}`, open(path, { oflags: CREAT })),
      program(`create exclusive ${name}`, open(path, { oflags: CREAT | EXCL })),
      program(`truncate ${name}`, open(path, { oflags: TRUNC })),
      program(`mkdir ${name}`, at("path_create_directory", path)),
      program(`rmdir ${name}`, at("path_remove_directory", path)),
      program(`unlink ${name}`, at("path_unlink_file", path)),
      program(`readlink ${name}`, at("path_readlink", path, BUFFER, BUFFER_LENGTH, RESULT)),
      program(
        `stat ${name}`,
        write(PATH, path),
        call("path_filestat_get", 3, 0, PATH, length, BUFFER),
      ),
      program(
        `stat follow ${name}`,
        write(PATH, path),
        call("path_filestat_get", 3, 1, PATH, length, BUFFER),
      ),
      program(
        `rename to ${name}`,
        write(PATH, "f"),
        write(PATH_2, ""),
        write(0x2000, path),
        call("path_rename", 3, PATH, 1, 3, 0x2000, length),
      ),
      program(
        `rename from ${name}`,
        write(PATH_2, "new"),
        write(0x2000, path),
        call("path_rename", 3, 0x2000, length, 3, PATH_2, 3),
      ),
      program(
        `link to ${name}`,
        write(PATH, "f"),
        write(0x2000, path),
        call("path_link", 3, 0, PATH, 1, 3, 0x2000, length),
      ),
      program(
        `link from ${name}`,
        write(PATH_2, "new"),
        write(0x2000, path),
        call("path_link", 3, 0, 0x2000, length, 3, PATH_2, 3),
      ),
      program(
        `symlink at ${name}`,
        write(PATH, "f"),
        write(0x2000, path),
        call("path_symlink", PATH, 1, 3, 0x2000, length),
      ),
      program(
        `symlink to ${name}`,
        write(PATH_2, "new"),
        write(0x2000, path),
        call("path_symlink", 0x2000, length, 3, PATH_2, 3),
      ),
    ];
  });
}

function listDescriptorPrograms(): Program[] {
  const kinds: readonly (readonly [string, readonly Step[]])[] = [
    ["file to read", open("f", { rights: READ })],
    ["file to write", open("f", { rights: WRITE })],
    ["file without rights", open("f", { rights: 0n })],
    ["new file without rights", open("new", { rights: 0n, oflags: CREAT })],
    ["file to append", open("f", { fdflags: APPEND })],
    ["directory", open("d", { rights: READ, oflags: DIRECTORY })],
  ];
  const fds: readonly (readonly [string, number, readonly Step[]])[] = [
    ["stdin", 0, []],
    ["stdout", 1, []],
    ["stderr", 2, []],
    ["preopen", 3, []],
    ["nothing", 9, []],
    ...kinds.map(([name, steps]) => [name, 4, steps] as const),
  ];
  return fds.flatMap(([name, fd, steps]) => [
    program(`fdstat of ${name}`, steps, {
      call: "fd_fdstat_get",
      args: [fd, BUFFER],
      reads: [[BUFFER, 24]],
    }),
    program(`type of ${name}`, steps, {
      call: "fd_filestat_get",
      args: [fd, BUFFER],
      reads: [[BUFFER + 16, 1]],
    }),
    program(`read ${name}`, steps, oneBuffer, call("fd_read", fd, IOVS, 1, RESULT)),
    program(`write ${name}`, steps, put(fd, "text")),
    program(`pread ${name}`, steps, oneBuffer, call("fd_pread", fd, IOVS, 1, u64(1n), RESULT)),
    program(`pwrite ${name}`, steps, oneBuffer, call("fd_pwrite", fd, IOVS, 1, u64(1n), RESULT)),
    program(`seek ${name}`, steps, call("fd_seek", fd, u64(1n), 0, RESULT)),
    program(`tell ${name}`, steps, call("fd_tell", fd, RESULT)),
    program(`sync ${name}`, steps, call("fd_sync", fd)),
    program(`datasync ${name}`, steps, call("fd_datasync", fd)),
    program(`advise ${name}`, steps, call("fd_advise", fd, u64(0n), u64(0n), 0)),
    program(`set size of ${name}`, steps, call("fd_filestat_set_size", fd, u64(2n))),
    program(`set flags of ${name}`, steps, call("fd_fdstat_set_flags", fd, APPEND)),
    program(`set rights of ${name}`, steps, call("fd_fdstat_set_rights", fd, u64(0n), u64(0n))),
    program(`readdir ${name}`, steps, call("fd_readdir", fd, BUFFER, 24, u64(0n), RESULT)),
    program(`prestat ${name}`, steps, call("fd_prestat_get", fd, RESULT)),
    program(`prestat name ${name}`, steps, call("fd_prestat_dir_name", fd, BUFFER, 8)),
    program(`renumber to ${name}`, steps, call("fd_renumber", 2, fd)),
    program(`renumber from ${name}`, steps, call("fd_renumber", fd, 2)),
    program(
      `open under ${name}`,
      steps,
      write(PATH, "x"),
      call("path_open", fd, 0, PATH, 1, 0, u64(READ), u64(0n), 0, RESULT),
    ),
    program(
      `stat under ${name}`,
      steps,
      write(PATH, "x"),
      call("path_filestat_get", fd, 0, PATH, 1, BUFFER),
    ),
    program(`close ${name} twice`, steps, call("fd_close", fd), call("fd_close", fd)),
    program(`shut down ${name}`, steps, call("sock_shutdown", fd, 1)),
    program(`accept on ${name}`, steps, call("sock_accept", fd, 0, RESULT)),
  ]);
}

function listContentPrograms(): Program[] {
  return [
    program(
      "write moves the position",
      open("f"),
      put(4, "AB"),
      call("fd_tell", 4, RESULT),
      look(4),
    ),
    program(
      "append ignores the position",
      open("f", { fdflags: APPEND }),
      put(4, "!"),
      call("fd_tell", 4, RESULT),
      look(4),
    ),
    program("truncate empties", open("f", { oflags: TRUNC }), look(4)),
    program(
      "writing past the end makes a hole",
      open("f"),
      call("fd_seek", 4, u64(20n), 0, RESULT),
      put(4, "z"),
      look(4),
    ),
    program(
      "seek from the end",
      open("f"),
      call("fd_seek", 4, u64(-2n), 2, RESULT),
      put(4, "xyz"),
      look(4),
    ),
    program("seek before the start", open("f"), call("fd_seek", 4, u64(-12n), 2, RESULT)),
    program(
      "set size cuts and extends",
      open("f"),
      call("fd_filestat_set_size", 4, u64(3n)),
      call("fd_filestat_set_size", 4, u64(6n)),
      look(4),
    ),
    program(
      "an unlinked file lives on",
      open("f"),
      at("path_unlink_file", "f"),
      put(4, "ok"),
      look(4),
    ),
    program(
      "rename over a file",
      open("f"),
      write(PATH, "d/x"),
      write(PATH_2, "f"),
      call("path_rename", 3, PATH, 3, 3, PATH_2, 1),
      open("f"),
      look(5),
    ),
    program(
      "a hard link is the same file",
      write(PATH, "f"),
      write(PATH_2, "g"),
      call("path_link", 3, 0, PATH, 1, 3, PATH_2, 1),
      open("g"),
      put(4, "both"),
      open("f"),
      look(5),
    ),
    program(
      "numbers of closed descriptors are used again",
      open("f"),
      open("f"),
      call("fd_close", 4),
      open("f"),
    ),
    program(
      "renumber frees the old number",
      open("f"),
      call("fd_renumber", 4, 1),
      call("fd_tell", 1, RESULT),
      call("fd_tell", 4, RESULT),
    ),
    program(
      "a closed preopen is gone",
      call("fd_close", 3),
      call("fd_prestat_get", 3, RESULT),
      open("f"),
    ),
    program("a full folder is not removed", at("path_remove_directory", "d")),
    program("readlink cuts", write(PATH, "up"), {
      call: "path_readlink",
      args: [3, PATH, 2, BUFFER, 2, RESULT],
      reads: [
        [RESULT, 4],
        [BUFFER, 3],
      ],
    }),
    program(
      "a path that is not UTF-8",
      write(PATH, Uint8Array.of(0xff)),
      call("path_unlink_file", 3, PATH, 1),
    ),
    program(
      "no buffers",
      open("f"),
      call("fd_read", 4, IOVS, 0, RESULT),
      call("fd_write", 4, IOVS, 0, RESULT),
    ),
    program("arguments", {
      call: "args_get",
      args: [BUFFER, BUFFER + 64],
      reads: [
        [BUFFER, 8],
        [BUFFER + 64, 12],
      ],
    }),
    program("environment", {
      call: "environ_get",
      args: [BUFFER, BUFFER + 64],
      reads: [
        [BUFFER, 4],
        [BUFFER + 64, 10],
      ],
    }),
    program(
      "a whole empty folder",
      open("empty", { rights: READ, oflags: DIRECTORY }),
      call("fd_readdir", 4, BUFFER, 256, u64(0n), RESULT),
      call("fd_readdir", 4, BUFFER, 256, u64(2n), RESULT),
    ),
  ];
}

export function listFilePrograms(): Program[] {
  return [...listPathPrograms(), ...listDescriptorPrograms(), ...listContentPrograms()];
}
