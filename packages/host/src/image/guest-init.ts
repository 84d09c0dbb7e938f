/**
 * The first process of a VM Keep, as a list of system calls: it opens the gate's two ports, starts the engine with
 * the two pipes as descriptors 3 and 4, and ends the machine when the engine ends. It is all that the initrd holds
 * besides the engine, its libraries, the runtime and the kernel's modules: there is no shell and no other program.
 *
 * Between each port and the engine stands a socket pair with a small process for each direction, so that the Keep
 * finds the same kind of pipe in every backend (docs/decisions/0051).
 */
import { SANDBOXED_ENGINE_FLAGS } from "../backend/sandbox.ts";
import { assembleKeepFilter } from "../backend/seccomp.ts";
import {
  assembleGuestProgram,
  type GuestArgument,
  type GuestCondition,
  type GuestLine,
} from "./guest-code.ts";

/** Where the guest finds what it starts; the initrd has them there, and the empty directories besides. */
export const GUEST_INIT = "/init";
export const GUEST_ENGINE = "/keep/engine";
export const GUEST_RUNTIME = "/keep/runtime.cjs";
export const GUEST_DIRECTORIES = ["/dev", "/keep", "/lib", "/modules", "/sys"] as const;
/**
 * Kernel modules for attestation, in the order of loading, as the kernel's package has them (compressed):
 * `/modules/<name>.ko.xz`. Those that the machine has no use for refuse to load.
 */
export const GUEST_MODULES = ["configfs", "tsm", "sev-guest", "tdx-guest"] as const;
/**
 * Initial calls of the kernel that take a third of a second under emulation and that nothing in a Keep needs: a second source
 * of randomness for the kernel's own cryptography, keys for modules (the initrd is measured), parts of BPF. A
 * kernel that has none of that name goes on.
 */
const SKIPPED_INITCALLS = [
  "jent_mod_init",
  "load_system_certificate_list",
  "bpf_tcp_ca_kfunc_init",
  "bpf_dummy_struct_ops_init",
  "bpf_sockmap_iter_init",
];
/**
 * The kernel's command line, measured with the image. Silent but for a panic and the restart, which end the machine; no ACPI:
 * its tables are programs of the host; a restart by triple fault, which needs no ACPI and is the end under `-no-reboot`; no
 * tests of the kernel's ciphers, which take half a second under emulation: nothing in a Keep uses them.
 */
export const GUEST_COMMAND_LINE = [
  "console=ttyS0 quiet loglevel=1 panic=-1 reboot=t acpi=off rdinit=/init cryptomgr.notests",
  `initcall_blacklist=${SKIPPED_INITCALLS.join(",")}`,
].join(" ");
/** Numbers of the two ports on the virtio-serial bus. */
export const GUEST_PORTS = { in: 1, out: 2 } as const;

/** Where the kernel takes requests for evidence (Documentation/ABI/testing/configfs-tsm). */
const TSM_REPORTS = "/sys/kernel/config/tsm/report";
const TEE_DEVICES = ["/dev/sev-guest", "/dev/tdx_guest"] as const;
const TEE_FLAGS = [`--allow-fs-read=${TSM_REPORTS}/*`, `--allow-fs-write=${TSM_REPORTS}/*`];

/** `arch/x86/entry/syscalls/syscall_64.tbl`. */
const SYS = {
  read: 0,
  write: 1,
  open: 2,
  close: 3,
  poll: 7,
  access: 21,
  dup2: 33,
  nanosleep: 35,
  shutdown: 48,
  socketpair: 53,
  fork: 57,
  execve: 59,
  exit: 60,
  wait4: 61,
  kill: 62,
  chdir: 80,
  prctl: 157,
  setrlimit: 160,
  mount: 165,
  umount2: 166,
  reboot: 169,
  finit_module: 313,
  seccomp: 317,
} as const;

const O_RDONLY_CLOEXEC = 0o2000000;
const O_RDWR_CLOEXEC = 0o2000002;
const O_RDWR = 2;
const SHUT_WR = 1;
const AF_UNIX = 1;
const SOCK_STREAM_CLOEXEC = 1 | O_RDONLY_CLOEXEC;
/** `MS_NOSUID | MS_NODEV | MS_NOEXEC`; a mount with devices goes without the second. */
const MOUNT_FLAGS = 2 | 4 | 8;
const DEVICE_MOUNT_FLAGS = 2 | 8;
/** `MS_REMOUNT | MS_RDONLY`. */
const READ_ONLY_MOUNT_FLAGS = 32 | 1;
const MNT_DETACH = 2;
const MODULE_INIT_COMPRESSED_FILE = 4;
const RLIMIT_CORE = 4;
const PR_SET_SECUREBITS = 28;
const PR_SET_NO_NEW_PRIVS = 38;
/** Root has no capabilities after `execve`, and nothing can change that: every bit of `linux/securebits.h` but KEEP_CAPS. */
const SECURE_BITS = 0xef;
const SECCOMP_SET_MODE_FILTER = 1;
const SIGKILL = 9;
const REBOOT_MAGIC = [0xfee1dead, 0x28121969, 0x01234567] as const;

const RELAY_BYTES = 65536;
const PAUSE = encodeTimespec(0, 10_000_000);
/** What the engine wrote last has so long to leave, when the host does not take it at once. */
const DRAIN = encodeTimespec(1, 0);
/** Pauses until the ports have to be there, and then until the host's ends of them have: it had them from its start. */
const PORT_PAUSES = 1000;
const HOST_PAUSES = 300;

const FILTER = assembleKeepFilter();
/** `struct sock_fprog`: the number of instructions of 8 octets, and where they are. */
const SECCOMP_PROGRAM = { words: [FILTER.length / 8, FILTER] };

const VARIABLES = {
  descriptor: 8,
  engine: 8,
  tries: 8,
  count: 8,
  at: 8,
  written: 8,
  from: 8,
  to: 8,
  poll: 8,
  portIn: 8,
  portOut: 8,
  pairIn: 8,
  pairOut: 8,
  relayIn: 8,
  relayOut: 8,
  isTee: 8,
  bytes: RELAY_BYTES,
};

/** The ELF file; the same bytes for the same engine flags. */
export function encodeGuestInit(): Uint8Array<ArrayBuffer> {
  const lines = [
    ...mountDevices(),
    ...loadModules(),
    ...openPort(`/dev/vport0p${GUEST_PORTS.in}`, "portIn"),
    ...openPort(`/dev/vport0p${GUEST_PORTS.out}`, "portOut"),
    // What is open stays open; nothing else of the machine's devices is within reach of the engine.
    call(SYS.umount2, "/dev", MNT_DETACH),
    call(SYS.mount, "", "/", "", READ_ONLY_MOUNT_FLAGS, 0),
    call(SYS.socketpair, AF_UNIX, SOCK_STREAM_CLOEXEC, 0, { address: "pairIn" }),
    call(SYS.socketpair, AF_UNIX, SOCK_STREAM_CLOEXEC, 0, { address: "pairOut" }),
    call(SYS.fork),
    jump("zero", "engine"),
    store("engine"),
    ...forkRelays(),
    ...closeEngineEnds(),
    ...endMachine(),
    label("engine"),
    ...startEngine(),
    ...relayToKeep("in to Keep", variable("portIn"), near("pairIn")),
    ...relayToKeep("out to Keep", variable("portOut"), near("pairOut")),
    ...relayToHost("in to host", near("pairIn"), variable("portIn")),
    ...relayToHost("out to host", near("pairOut"), variable("portOut")),
    ...copyLoop(),
  ];
  return assembleGuestProgram({ lines, variables: VARIABLES });
}

function mountDevices(): GuestLine[] {
  return [
    call(SYS.mount, "dev", "/dev", "devtmpfs", DEVICE_MOUNT_FLAGS, 0),
    // The kernel has opened its console as 0, 1 and 2. Only the engine's own last words may go there.
    call(SYS.open, "/dev/null", O_RDWR),
    store("descriptor"),
    call(SYS.dup2, variable("descriptor"), 0),
    call(SYS.dup2, variable("descriptor"), 1),
    call(SYS.close, variable("descriptor")),
  ];
}

/** Afterwards `isTee` is 0 where the kernel has found a device that signs evidence. */
function loadModules(): GuestLine[] {
  const modules = GUEST_MODULES.flatMap((name) => [
    call(SYS.open, `/modules/${name}.ko.xz`, O_RDONLY_CLOEXEC),
    store("descriptor"),
    call(SYS.finit_module, variable("descriptor"), "", MODULE_INIT_COMPRESSED_FILE),
    call(SYS.close, variable("descriptor")),
  ]);
  const devices = TEE_DEVICES.flatMap((path) => [
    call(SYS.access, path, 0),
    store("isTee"),
    jump("zero", "tee"),
  ]);
  return [
    ...modules,
    ...devices,
    jump("always", "ports"),
    label("tee"),
    call(SYS.mount, "sys", "/sys", "sysfs", MOUNT_FLAGS, 0),
    call(SYS.mount, "config", "/sys/kernel/config", "configfs", MOUNT_FLAGS, 0),
    label("ports"),
  ];
}

/** The kernel makes the ports in its own time. */
function openPort(path: string, to: string): GuestLine[] {
  return [
    set("tries", PORT_PAUSES),
    label(`open ${path}`),
    call(SYS.open, path, O_RDWR_CLOEXEC),
    store(to),
    jump("not-negative", `opened ${path}`),
    call(SYS.nanosleep, PAUSE, 0),
    add("tries", -1),
    jump("positive", `open ${path}`),
    say(`donjon: the machine has no port ${path}\n`),
    jump("always", "end"),
    label(`opened ${path}`),
  ];
}

/** The engine's first: it takes longest. */
function forkRelays(): GuestLine[] {
  const fork = (to: string) => [call(SYS.fork), jump("zero", to)];
  return [
    ...fork("in to Keep"),
    ...fork("out to Keep"),
    ...fork("in to host"),
    store("relayIn"),
    ...fork("out to host"),
    store("relayOut"),
  ];
}

/** Whoever else held them open would keep the relays from seeing that the engine has ended. */
function closeEngineEnds(): GuestLine[] {
  return [call(SYS.close, far("pairIn")), call(SYS.close, far("pairOut"))];
}

/** Waits for the engine, then for what it wrote to leave, and restarts: with `-no-reboot` that is the machine's end. */
function endMachine(): GuestLine[] {
  return [
    call(SYS.wait4, variable("engine"), 0, 0, 0),
    call(SYS.fork),
    jump("zero", "impatience"),
    call(SYS.wait4, variable("relayIn"), 0, 0, 0),
    call(SYS.wait4, variable("relayOut"), 0, 0, 0),
    label("end"),
    call(SYS.reboot, ...REBOOT_MAGIC, 0),
    label("impatience"),
    call(SYS.nanosleep, DRAIN, 0),
    call(SYS.kill, -1, SIGKILL),
    call(SYS.exit, 0),
  ];
}

/** Under the same filter as a process Keep, without capabilities, and with files only where evidence comes from. */
function startEngine(): GuestLine[] {
  const command = (extra: readonly string[]) => ({
    words: [GUEST_ENGINE, ...SANDBOXED_ENGINE_FLAGS, ...extra, GUEST_RUNTIME, 0],
  });
  const environment = { words: [0] };
  return [
    call(SYS.dup2, far("pairIn"), 3),
    call(SYS.dup2, far("pairOut"), 4),
    call(SYS.chdir, "/keep"),
    call(SYS.setrlimit, RLIMIT_CORE, new Uint8Array(16)),
    call(SYS.prctl, PR_SET_SECUREBITS, SECURE_BITS, 0, 0, 0),
    call(SYS.prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0),
    call(SYS.seccomp, SECCOMP_SET_MODE_FILTER, 0, SECCOMP_PROGRAM),
    add("isTee", 0),
    jump("zero", "engine with evidence"),
    call(SYS.execve, GUEST_ENGINE, command([]), environment),
    jump("always", "engine lost"),
    label("engine with evidence"),
    call(SYS.execve, GUEST_ENGINE, command(TEE_FLAGS), environment),
    label("engine lost"),
    say("donjon: the engine cannot be started\n"),
    call(SYS.exit, 127),
  ];
}

/** Until the host's end of the port is there, reading says that it has ended. */
function relayToKeep(name: string, from: GuestArgument, to: GuestArgument): GuestLine[] {
  return [
    label(name),
    ...closeEngineEnds(),
    set("from", from),
    set("to", to),
    set("tries", HOST_PAUSES),
    label(`${name}, host`),
    // `struct pollfd` that asks for nothing: POLLHUP is told all the same.
    set("poll", variable("from")),
    call(SYS.poll, { address: "poll" }, 1, 0),
    jump("zero", "copy"),
    call(SYS.nanosleep, PAUSE, 0),
    add("tries", -1),
    jump("positive", `${name}, host`),
    jump("always", "copied"),
  ];
}

function relayToHost(name: string, from: GuestArgument, to: GuestArgument): GuestLine[] {
  return [
    label(name),
    ...closeEngineEnds(),
    set("from", from),
    set("to", to),
    jump("always", "copy"),
  ];
}

/** From `from` to `to` until one of them has ended; then the engine sees the end of its pipe. */
function copyLoop(): GuestLine[] {
  return [
    label("copy"),
    call(SYS.read, variable("from"), { address: "bytes" }, RELAY_BYTES),
    jump("not-positive", "copied"),
    store("count"),
    set("at", { address: "bytes" }),
    label("write"),
    call(SYS.write, variable("to"), variable("at"), variable("count")),
    jump("not-positive", "copied"),
    store("written"),
    add("at", variable("written")),
    subtract("count", variable("written")),
    jump("positive", "write"),
    jump("always", "copy"),
    label("copied"),
    call(SYS.shutdown, variable("to"), SHUT_WR),
    call(SYS.exit, 0),
  ];
}

function call(number: number, ...args: GuestArgument[]): GuestLine {
  return { op: "call", call: number, arguments: args };
}

function store(to: string): GuestLine {
  return { op: "store", to };
}

function set(to: string, value: GuestArgument): GuestLine {
  return { op: "set", to, value };
}

function add(to: string, value: GuestArgument): GuestLine {
  return { op: "add", to, value };
}

function subtract(to: string, value: GuestArgument): GuestLine {
  return { op: "subtract", to, value };
}

function jump(when: GuestCondition, to: string): GuestLine {
  return { op: "jump", when, to };
}

function label(name: string): GuestLine {
  return { op: "label", name };
}

function variable(name: string): GuestArgument {
  return { variable: name };
}

/** Our end of a socket pair. */
function near(pair: string): GuestArgument {
  return { half: pair, offset: 0 };
}

/** The engine's end. */
function far(pair: string): GuestArgument {
  return { half: pair, offset: 4 };
}

/** One line on the console. */
function say(line: string): GuestLine {
  return call(SYS.write, 2, line, line.length);
}

/** `struct timespec`. */
function encodeTimespec(seconds: number, nanoseconds: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(16));
  view.setUint32(0, seconds, true);
  view.setUint32(8, nanoseconds, true);
  return new Uint8Array(view.buffer);
}
