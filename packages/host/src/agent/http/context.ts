import type { AgentPlatform } from "@donjon/protocol/agent/keep-record";
import type { KeepService } from "../keep-service.ts";
import type { Log } from "../log.ts";
import type { Metrics } from "../metrics.ts";
import type { AuthenticateOptions } from "./authenticate.ts";
import type { Tunnels } from "./tunnels.ts";

/** What all routes share. */
export interface AgentContext {
  readonly keeps: KeepService;
  readonly authentication: AuthenticateOptions;
  readonly platform: () => Promise<AgentPlatform>;
  /** The public roots of the simulated security processor, as text. */
  readonly readTrust: () => Promise<string>;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly tunnels: Tunnels;
  /** Whether the agent takes new work. */
  readonly isReady: () => boolean;
}
