/**
 * Takes from a worker what a workload's thread never needs. WebAssembly cannot reach JavaScript, and
 * the permission model holds for the whole process; this is one more wall for the day that one falls.
 */
const PROCESS = [
  "binding",
  "_linkedBinding",
  "dlopen",
  "kill",
  "_kill",
  "abort",
  "chdir",
  "execve",
  "getBuiltinModule",
  "_debugProcess",
  "_startProfilerIdleNotifier",
  "reallyExit",
  "setuid",
  "setgid",
  "report",
] as const;
const GLOBALS = [
  "fetch",
  "WebSocket",
  "EventSource",
  "XMLHttpRequest",
  "navigator",
  "Worker",
  "BroadcastChannel",
  "eval",
  "Function",
] as const;

export function disarm(): void {
  for (const name of PROCESS) Reflect.deleteProperty(process, name);
  for (const name of GLOBALS) Reflect.deleteProperty(globalThis, name);
}
