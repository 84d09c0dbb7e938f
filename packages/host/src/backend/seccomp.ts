/**
 * The system calls that a process Keep may not make, as a seccomp filter for x86-64.
 *
 * A list of what is denied, not of what is allowed: the engine's own needs change with every release, and
 * the filter is one wall of several (empty namespaces, no capabilities, the engine's permission model).
 *
 * `execve` cannot be denied: bubblewrap installs the filter before its own last step, which is the `execve`
 * of the engine. What stands instead: no process can be made (`fork`, `vfork`, `clone` without
 * `CLONE_THREAD`, `clone3`), so that an `execve` could only replace the Keep itself, inside the same
 * namespaces and filter, by one of the files bound there, of which the engine is the only program.
 */
import { assembleBpf, type BpfLine } from "./bpf.ts";

// Offsets in `struct seccomp_data` (linux/seccomp.h); arguments are 64 bits, little-endian.
const NR = 0;
const ARCH = 4;
const FIRST_ARGUMENT = 16;

const AUDIT_ARCH_X86_64 = 0xc000003e;
/** Numbers from here on belong to the x32 ABI, which the kernel also takes on x86-64. */
const X32_BIT = 0x40000000;
const CLONE_THREAD = 0x10000;

const ALLOW = 0x7fff0000;
const KILL_PROCESS = 0x80000000;
const ERRNO = 0x00050000;
const EPERM = 1;
const ENOSYS = 38;

const CLONE = 56;

/** Answered with `EPERM`. Numbers: `arch/x86/entry/syscalls/syscall_64.tbl`. */
const DENIED: Readonly<Record<string, number>> = {
  // sockets: the Keep has its pipes and makes no others
  socket: 41,
  connect: 42,
  accept: 43,
  bind: 49,
  listen: 50,
  socketpair: 53,
  accept4: 288,
  // processes, and looking into them
  fork: 57,
  vfork: 58,
  ptrace: 101,
  process_vm_readv: 310,
  process_vm_writev: 311,
  kcmp: 312,
  execveat: 322,
  memfd_create: 319,
  pidfd_open: 434,
  pidfd_getfd: 438,
  process_madvise: 440,
  process_mrelease: 448,
  // name spaces and mounts
  pivot_root: 155,
  chroot: 161,
  mount: 165,
  umount2: 166,
  unshare: 272,
  setns: 308,
  name_to_handle_at: 303,
  open_by_handle_at: 304,
  open_tree: 428,
  move_mount: 429,
  fsopen: 430,
  fsconfig: 431,
  fsmount: 432,
  fspick: 433,
  mount_setattr: 442,
  statmount: 457,
  listmount: 458,
  open_tree_attr: 467,
  // devices and files with powers
  mknod: 133,
  mknodat: 259,
  fanotify_init: 300,
  quotactl: 179,
  quotactl_fd: 443,
  // the kernel itself
  iopl: 172,
  ioperm: 173,
  init_module: 175,
  delete_module: 176,
  finit_module: 313,
  kexec_load: 246,
  kexec_file_load: 320,
  reboot: 169,
  swapon: 167,
  swapoff: 168,
  acct: 163,
  syslog: 103,
  bpf: 321,
  perf_event_open: 298,
  userfaultfd: 323,
  add_key: 248,
  request_key: 249,
  keyctl: 250,
  lookup_dcookie: 212,
  personality: 135,
  modify_ldt: 154,
  vhangup: 153,
  // clocks and names of the machine
  settimeofday: 164,
  adjtimex: 159,
  clock_settime: 227,
  clock_adjtime: 305,
  sethostname: 170,
  setdomainname: 171,
};

/** Answered with `ENOSYS`: their callers then use an older call that this filter can look into. */
const ABSENT: Readonly<Record<string, number>> = {
  clone3: 435,
  io_uring_setup: 425,
  io_uring_enter: 426,
  io_uring_register: 427,
};

/** The filter as bubblewrap's `--seccomp` wants it. */
export function assembleKeepFilter(): Uint8Array {
  const jumps = (calls: Readonly<Record<string, number>>, to: string): BpfLine[] =>
    Object.values(calls).map((value) => ({ op: "jump-equal", value, to }));
  return assembleBpf([
    { op: "load", offset: ARCH },
    { op: "jump-equal", value: AUDIT_ARCH_X86_64, to: "known" },
    { op: "return", value: KILL_PROCESS },
    { op: "label", name: "known" },
    { op: "load", offset: NR },
    { op: "jump-greater-or-equal", value: X32_BIT, to: "denied" },
    { op: "jump-equal", value: CLONE, to: "clone" },
    ...jumps(ABSENT, "absent"),
    ...jumps(DENIED, "denied"),
    { op: "return", value: ALLOW },
    { op: "label", name: "clone" },
    { op: "load", offset: FIRST_ARGUMENT },
    { op: "jump-set", value: CLONE_THREAD, to: "thread" },
    { op: "label", name: "denied" },
    { op: "return", value: ERRNO | EPERM },
    { op: "label", name: "thread" },
    { op: "return", value: ALLOW },
    { op: "label", name: "absent" },
    { op: "return", value: ERRNO | ENOSYS },
  ]);
}
