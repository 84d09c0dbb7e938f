/** Every command, in the order of the help. One file of its own when built: a run knows itself alone. */
import type { Command } from "commander";
import { addAgentCommand } from "./command/agent.ts";
import { addAttachCommand } from "./command/attach.ts";
import { addAttestCommand } from "./command/attest.ts";
import { addBundleCommand } from "./command/bundle.ts";
import { addCompletionCommand } from "./command/completion.ts";
import { addDeployCommand } from "./command/deploy.ts";
import { addDiffCommand } from "./command/diff.ts";
import { addExplainCommand } from "./command/explain.ts";
import { addImageCommand } from "./command/image.ts";
import { addInitCommand } from "./command/init.ts";
import { addInspectCommand } from "./command/inspect.ts";
import { addLogsCommand } from "./command/logs.ts";
import { addPlatformCommand } from "./command/platform.ts";
import { addPolicyCommand } from "./command/policy.ts";
import { addPsCommand } from "./command/ps.ts";
import { addRmCommand } from "./command/rm.ts";
import { addRunCommand } from "./command/run.ts";
import { addStopCommand } from "./command/stop.ts";
import { addVerifyCommand } from "./command/verify.ts";
import { type Context, createEmptyProgram } from "./program.ts";

export function addCommands(program: Command, context: Context): void {
  program.commandsGroup("Programs:");
  addRunCommand(program, context);
  addInitCommand(program);
  addInspectCommand(program, context);
  program.commandsGroup("Keeps at an agent:");
  addDeployCommand(program, context);
  addPsCommand(program, context);
  addLogsCommand(program, context);
  addAttachCommand(program, context);
  addStopCommand(program, context);
  addRmCommand(program, context);
  addAttestCommand(program, context);
  program.commandsGroup("Evidence:");
  addVerifyCommand(program, context);
  addExplainCommand(program, context);
  addDiffCommand(program, context);
  addBundleCommand(program, context);
  addPolicyCommand(program, context);
  program.commandsGroup("This machine:");
  addAgentCommand(program, context);
  addPlatformCommand(program, context);
  addImageCommand(program, context);
  addCompletionCommand(program);
}

/** The whole command line, for who asks what is in it. */
export function createProgram(context: Context): Command {
  const program = createEmptyProgram();
  addCommands(program, context);
  return program;
}
