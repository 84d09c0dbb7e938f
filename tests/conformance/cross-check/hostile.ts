/** Programs that call each function well, and then with one argument made hostile. */
import { FUNCTION_NAMES, FUNCTIONS, type FunctionName } from "@donjon/wasi/p1/functions";
import {
  type Argument,
  BUFFER,
  BUFFER_LENGTH,
  call,
  EVENTS,
  IOVS,
  oneBuffer,
  open,
  PAGES,
  PATH,
  PATH_2,
  type Program,
  RESULT,
  RESULT_2,
  type Step,
  SUBSCRIPTIONS,
  u32s,
  u64,
  write,
} from "./program.ts";

const MEMORY_BYTES = PAGES * 65_536;
const I32S = [
  0,
  1,
  2,
  3,
  4,
  5,
  7,
  16,
  32,
  0x1_0000,
  MEMORY_BYTES - 8,
  MEMORY_BYTES,
  0x7fff_ffff,
  0x8000_0000,
  0xffff_fff8,
  0xffff_ffff,
];
const I64S = [
  0n,
  1n,
  11n,
  1n << 30n,
  (1n << 53n) + 1n,
  (1n << 63n) - 1n,
  1n << 63n,
  (1n << 64n) - 1n,
].map(u64);

/** Good arguments. Descriptor 3 is the preopen, 4 is the file `f`, open to read and write. */
const GOOD: Readonly<Partial<Record<FunctionName, readonly Argument[]>>> = {
  args_get: [BUFFER, BUFFER + 64],
  args_sizes_get: [RESULT, RESULT_2],
  environ_get: [BUFFER, BUFFER + 64],
  environ_sizes_get: [RESULT, RESULT_2],
  clock_res_get: [1, RESULT],
  clock_time_get: [1, u64(0n), BUFFER],
  fd_advise: [4, u64(0n), u64(4n), 0],
  fd_allocate: [4, u64(0n), u64(16n)],
  fd_close: [4],
  fd_datasync: [4],
  fd_fdstat_get: [4, RESULT],
  fd_fdstat_set_flags: [4, 1],
  fd_fdstat_set_rights: [4, u64(0n), u64(0n)],
  fd_filestat_get: [4, BUFFER],
  fd_filestat_set_size: [4, u64(3n)],
  fd_filestat_set_times: [4, u64(1n), u64(2n), 5],
  fd_pread: [4, IOVS, 1, u64(2n), RESULT],
  fd_prestat_get: [3, RESULT],
  fd_prestat_dir_name: [3, BUFFER, 1],
  fd_pwrite: [4, IOVS, 1, u64(2n), RESULT],
  fd_read: [4, IOVS, 1, RESULT],
  fd_readdir: [3, BUFFER, 10, u64(0n), RESULT],
  fd_renumber: [4, 0],
  fd_seek: [4, u64(2n), 0, RESULT],
  fd_sync: [4],
  fd_tell: [4, RESULT],
  fd_write: [4, IOVS, 1, RESULT],
  path_create_directory: [3, PATH, 3],
  path_filestat_get: [3, 0, PATH, 1, BUFFER],
  path_filestat_set_times: [3, 0, PATH, 1, u64(1n), u64(2n), 5],
  path_link: [3, 0, PATH, 1, 3, PATH_2, 3],
  path_open: [3, 0, PATH, 1, 0, u64(2n), u64(0n), 0, RESULT],
  path_readlink: [3, PATH_2, 1, BUFFER, BUFFER_LENGTH, RESULT],
  path_remove_directory: [3, PATH_2, 5],
  path_rename: [3, PATH, 1, 3, PATH_2, 3],
  path_symlink: [PATH, 1, 3, PATH_2, 3],
  path_unlink_file: [3, PATH, 1],
  poll_oneoff: [SUBSCRIPTIONS, EVENTS, 1, RESULT],
  proc_raise: [0],
  sched_yield: [],
  random_get: [BUFFER, 16],
  sock_accept: [4, 0, RESULT],
  sock_recv: [4, IOVS, 1, 0, RESULT, RESULT_2],
  sock_send: [4, IOVS, 1, 0, RESULT],
  sock_shutdown: [4, 1],
};

/** What a function finds at `PATH` and `PATH_2`, where `f` and `new` will not do. */
const PATHS: Readonly<Partial<Record<FunctionName, readonly [string, string]>>> = {
  path_create_directory: ["new", ""],
  path_readlink: ["f", "l"],
  path_remove_directory: ["f", "empty"],
};

/** A clock subscription that is due at once. */
const DUE = u32s(7, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0);

/** Values that would make the other engine take gigabytes before it looks at the memory. */
function costs(name: FunctionName, index: number, value: Argument): boolean {
  return name === "random_get" && index === 1 && Number(value) > MEMORY_BYTES;
}

export function listHostilePrograms(): Program[] {
  const programs: Program[] = [];
  for (const name of FUNCTION_NAMES) {
    const good = GOOD[name];
    if (good === undefined) continue;
    programs.push({ name: `${name} good`, steps: stepsOf(name, good) });
    good.forEach((_, index) => {
      for (const value of FUNCTIONS[name].params[index] === "I" ? I64S : I32S) {
        if (costs(name, index, value)) continue;
        const args = good.with(index, value);
        programs.push({ name: `${name} ${index}=${hex(value)}`, steps: stepsOf(name, args) });
      }
    });
  }
  return programs;
}

function hex(value: Argument): string {
  return typeof value === "string" ? value : `0x${value.toString(16)}`;
}

function stepsOf(name: FunctionName, args: readonly Argument[]): readonly Step[] {
  const [path, path2] = PATHS[name] ?? ["f", "new"];
  return [
    ...open("f"),
    write(PATH, path),
    write(PATH_2, path2),
    oneBuffer,
    write(SUBSCRIPTIONS, DUE),
    call(name, ...args),
  ];
}
