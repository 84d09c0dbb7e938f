import { join } from "node:path";
import { stateDirectory } from "@donjon/host/image/places";

/** Where an agent keeps what it must not forget, unless `--state` says otherwise. */
export function agentStateDirectory(): string {
  return join(stateDirectory(), "agent");
}

/** Where an agent listens, unless `--listen` says otherwise: the first place where clients look. */
export function defaultListenAddress(env: NodeJS.ProcessEnv = process.env): string {
  const runtime = env["XDG_RUNTIME_DIR"];
  const path = runtime
    ? join(runtime, "donjon", "agent.sock")
    : join(stateDirectory(), "agent.sock");
  return `unix:${path}`;
}
